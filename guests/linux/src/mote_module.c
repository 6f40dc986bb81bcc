/* _mote: what lib/_guest asks of the driver. The wasm guest has a module of the same shape. */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include "mote_module.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"
#include "hlcall.h"
#include "request.h"

/* Text of one call of the host's functions. A piece may end a few bytes earlier, at the end of a character. */
#define PIECE_BYTES 61440
/* Longer than any tool's name may be; what goes on beyond names no tool either way. */
#define NAME_BYTES 256

static PyObject *take_opened(PyObject *self, PyObject *unused) {
  return PyBool_FromLong(files_take_opened());
}

/* Before libc's write(): while muted, a warm-up's output goes the whole way but for the last step. */
static int muted;
ssize_t write(int file, const void *bytes, size_t length) {
  return muted ? (ssize_t)length : syscall(SYS_write, file, bytes, length);
}

static PyObject *mute(PyObject *self, PyObject *on) {
  muted = on == Py_True;
  Py_RETURN_NONE;
}

static PyObject *failed(int outcome, struct span answer) {
  if (outcome < 0) return PyErr_SetFromErrno(PyExc_OSError);
  PyObject *text = PyUnicode_DecodeUTF8(answer.bytes, (Py_ssize_t)answer.length, "replace");
  if (text) PyErr_SetObject(PyExc_RuntimeError, text);
  Py_XDECREF(text);
  return NULL;
}

/* The line that names the tool: whole characters, as a call carries text only, and no further line. */
static PyObject *named(const char *name) {
  size_t length = strnlen(name, NAME_BYTES + 1);
  if (length > NAME_BYTES)
    for (length = NAME_BYTES; ((uint8_t)name[length] & 0xc0) == 0x80;) length--;
  PyObject *line = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length + 1);
  if (!line) return NULL;
  char *into = PyBytes_AS_STRING(line);
  for (size_t i = 0; i < length; i++) into[i] = name[i] == '\n' ? '?' : name[i];
  into[length] = '\n';
  return line;
}

/* Without the interpreter's lock no other thread could use the device meanwhile anyway, so it is kept. */
static PyObject *call_begin(PyObject *self, PyObject *args) {
  const char *name;
  Py_buffer json;
  if (!PyArg_ParseTuple(args, "sy*:call_begin", &name, &json)) return NULL;
  PyObject *id = NULL;
  struct span answer = {0};
  const char *at = json.buf;
  size_t left = (size_t)json.len;
  int outcome = 0;
  while (outcome == 0 && left > PIECE_BYTES) {
    size_t piece = PIECE_BYTES;
    while (piece > PIECE_BYTES - 4 && ((uint8_t)at[piece] & 0xc0) == 0x80) piece--;
    outcome = hlcall_host("part", at, piece, &answer);
    at += piece;
    left -= piece;
  }
  PyObject *whole = outcome ? NULL : named(name);
  if (whole) PyBytes_ConcatAndDel(&whole, PyBytes_FromStringAndSize(at, (Py_ssize_t)left));
  if (whole) outcome = hlcall_host("begin", PyBytes_AS_STRING(whole), (size_t)PyBytes_GET_SIZE(whole), &answer);
  if (outcome)
    failed(outcome, answer);
  else if (whole && (id = PyUnicode_FromStringAndSize(answer.bytes, (Py_ssize_t)answer.length)))
    Py_SETREF(id, PyLong_FromUnicodeObject(id, 10));
  Py_XDECREF(whole);
  PyBuffer_Release(&json);
  return id;
}

/* The answer after its first line, and what did not fit into one. */
static PyObject *payload(struct span first, size_t length) {
  PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
  size_t have = 0;
  while (bytes) {
    if (first.length > length - have) break;
    memcpy(PyBytes_AS_STRING(bytes) + have, first.bytes, first.length);
    have += first.length;
    if (have == length) return bytes;
    int outcome = hlcall_host("more", "", 0, &first);
    if (outcome || first.length == 0) break;
  }
  Py_XDECREF(bytes);
  PyErr_SetString(PyExc_RuntimeError, "the answer of a tool was cut short");
  return NULL;
}

/* call_wait(id, timeout_ns) -> (id, status, payload), or None when the time passed or nothing was outstanding */
static PyObject *call_wait(PyObject *self, PyObject *args) {
  int id;
  long long timeout_ns;
  if (!PyArg_ParseTuple(args, "iL:call_wait", &id, &timeout_ns)) return NULL;
  char asked[64];
  int length = snprintf(asked, sizeof asked, "%d %lld", id, timeout_ns);
  struct span answer;
  int outcome = hlcall_host("wait", asked, (size_t)length, &answer);
  if (outcome) return failed(outcome, answer);
  if (answer.length == 0) Py_RETURN_NONE;
  const char *line = memchr(answer.bytes, '\n', answer.length);
  unsigned called, status;
  size_t bytes;
  if (!line || sscanf(answer.bytes, "%u %u %zu", &called, &status, &bytes) != 3) {
    PyErr_SetString(PyExc_RuntimeError, "the host's answer is none");
    return NULL;
  }
  size_t head = (size_t)(line + 1 - answer.bytes);
  PyObject *found = payload((struct span){line + 1, answer.length - head}, bytes);
  return found ? Py_BuildValue("IIN", called, status, found) : NULL;
}

static PyObject *texts(struct strings strings) {
  PyObject *list = PyList_New(0);
  struct span one;
  while (list && strings_next(&strings, &one)) {
    PyObject *item = PyUnicode_DecodeFSDefaultAndSize(one.bytes, (Py_ssize_t)one.length);
    if (!item || PyList_Append(list, item) != 0) Py_CLEAR(list);
    Py_XDECREF(item);
  }
  return list;
}

static PyObject *args(PyObject *self, PyObject *unused) { return texts(request.arguments); }
static PyObject *environ_(PyObject *self, PyObject *unused) { return texts(request.environment); }

static PyMethodDef methods[] = {
    {"call_begin", call_begin, METH_VARARGS, NULL}, {"call_wait", call_wait, METH_VARARGS, NULL},
    {"take_opened", take_opened, METH_NOARGS, NULL}, {"args", args, METH_NOARGS, NULL},
    {"mute", mute, METH_O, NULL},                    {"environ", environ_, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_mote", .m_size = -1, .m_methods = methods};

PyObject *mote_module(void) { return PyModule_Create(&definition); }
