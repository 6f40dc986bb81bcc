/* _mote: calls to host tools, and the arguments and environment of the session that this instance was given to. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#include <wasi/api.h>
#include <wasi/libc.h>

#include "guest.h"

#define HOST(name) __attribute__((import_module("mote"), import_name(name))) extern
HOST("call_begin") int32_t host_call_begin(const char *name, size_t name_len, const char *args, size_t args_len);
HOST("call_wait") int32_t host_call_wait(int32_t id, int64_t timeout_ns, uint32_t *out);
HOST("call_take") void host_call_take(int32_t id, char *into);

/* The linker wraps libc's open(), so that a run that opened nothing has nothing to flush at its end. */
static int opened;
int __wrap_open(const char *path, int flags, ...) {
  opened = 1;
  return __wasilibc_open_nomode(path, flags);
}

static PyObject *take_opened(PyObject *self, PyObject *unused) {
  int was = opened;
  opened = 0;
  return PyBool_FromLong(was);
}

/* And write(): while muted, a warm-up's output goes the whole way but for the last step. */
static int muted;
ssize_t __real_write(int fd, const void *buffer, size_t len);
ssize_t __wrap_write(int fd, const void *buffer, size_t len) {
  return muted ? (ssize_t)len : __real_write(fd, buffer, len);
}

static PyObject *mute(PyObject *self, PyObject *on) {
  muted = on == Py_True;
  Py_RETURN_NONE;
}

static PyObject *call_begin(PyObject *self, PyObject *args) {
  const char *name;
  Py_ssize_t name_len;
  Py_buffer json;
  if (!PyArg_ParseTuple(args, "s#y*:call_begin", &name, &name_len, &json)) return NULL;
  int32_t id = host_call_begin(name, (size_t)name_len, json.buf, (size_t)json.len);
  PyBuffer_Release(&json);
  return PyLong_FromLong(id);
}

/* call_wait(id, timeout_ns) -> (id, status, payload), or None when the time passed or nothing was outstanding */
static PyObject *call_wait(PyObject *self, PyObject *args) {
  int id;
  long long timeout_ns;
  uint32_t out[3] = {0};
  if (!PyArg_ParseTuple(args, "iL:call_wait", &id, &timeout_ns)) return NULL;
  if (host_call_wait(id, timeout_ns, out) != 0) Py_RETURN_NONE;
  PyObject *payload = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)out[2]);
  if (!payload) return NULL;
  host_call_take((int32_t)out[0], PyBytes_AS_STRING(payload));
  return Py_BuildValue("IIN", out[0], out[1], payload);
}

/* args_get and environ_get have the same shape: a table of pointers into one buffer of NUL-terminated strings. */
static PyObject *strings(__wasi_errno_t sizes(size_t *, size_t *), __wasi_errno_t get(uint8_t **, uint8_t *)) {
  size_t count = 0, bytes = 0;
  if (sizes(&count, &bytes) != 0 || count == 0) return PyList_New(0);
  uint8_t **table = PyMem_Malloc(count * sizeof *table), *buffer = PyMem_Malloc(bytes ? bytes : 1);
  PyObject *list = NULL;
  if (!table || !buffer)
    PyErr_NoMemory();
  else if (get(table, buffer) != 0)
    list = PyList_New(0);
  else if ((list = PyList_New(0)))
    for (size_t i = 0; i < count; i++) {
      PyObject *item = PyUnicode_DecodeFSDefault((char *)table[i]);
      if (!item || PyList_Append(list, item) != 0) {
        Py_XDECREF(item);
        Py_CLEAR(list);
        break;
      }
      Py_DECREF(item);
    }
  PyMem_Free(table);
  PyMem_Free(buffer);
  return list;
}

static PyObject *host_args(PyObject *self, PyObject *unused) { return strings(__wasi_args_sizes_get, __wasi_args_get); }

static PyObject *host_environ(PyObject *self, PyObject *unused) {
  return strings(__wasi_environ_sizes_get, __wasi_environ_get);
}

static PyMethodDef methods[] = {
    {"call_begin", call_begin, METH_VARARGS, NULL},    {"call_wait", call_wait, METH_VARARGS, NULL},
    {"take_opened", take_opened, METH_NOARGS, NULL},   {"args", host_args, METH_NOARGS, NULL},
    {"mute", mute, METH_O, NULL},                      {"environ", host_environ, METH_NOARGS, NULL},      {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_mote", .m_size = -1, .m_methods = methods};

PyObject *mote_module(void) { return PyModule_Create(&definition); }
