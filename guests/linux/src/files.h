/* What the interpreter opens. */
#pragma once

/* Whether a file was opened since this was last asked: a run that opened nothing has nothing to flush at its end. */
int files_take_opened(void);
