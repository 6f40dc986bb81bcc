#ifndef MOTE_GUEST_H
#define MOTE_GUEST_H
#include <Python.h>

/* The built-in module _mote: what _guest needs from the host and from C. */
PyObject *mote_module(void);

#endif
