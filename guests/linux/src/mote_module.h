#pragma once
#include <Python.h>

PyObject *mote_module(void);
