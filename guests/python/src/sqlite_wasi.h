/* What SQLite's unix file system layer expects and WASI preview 1 does not have: owners, permissions and locks.
   The sandbox has one process and one user, so each of them can only succeed. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int fchmod(int fd, mode_t mode) { (void)fd, (void)mode; return 0; }
static inline int fchown(int fd, uid_t owner, gid_t group) { (void)fd, (void)owner, (void)group; return 0; }
static inline uid_t geteuid(void) { return 0; }

#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#define SQLITE_EXTRA_INIT mote_sqlite_init
