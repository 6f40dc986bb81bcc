/* Compiled, never run: the header has to stand alone and to say what callers rely on. */
#include "mote.h"

#include <stddef.h>
#include <stdint.h>

static void on_notify(uint64_t client) { (void)client; }

int main(void) {
    const uint8_t message[] = {0};
    uint8_t buffer[16];
    uint32_t version = mote_abi_version();
    int64_t client = mote_connect(on_notify);
    int64_t session = mote_open(client, 1, message, sizeof message);
    int32_t status = mote_probe(client, 2);
    status |= mote_submit(session, 3, message, sizeof message);
    status |= mote_reply(session, 0, message, sizeof message);
    status |= mote_interrupt(session, 3);
    status |= mote_take(client, buffer, sizeof buffer);
    status |= mote_close(session, 4);
    status |= mote_disconnect(client);
    return version == 0 || status != 0;
}
