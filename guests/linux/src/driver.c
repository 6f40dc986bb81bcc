/* The program of the linux guest: starts Python once, then serves the host's calls. Everything that can be said in Python
   is said in lib/_guest. */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hlcall.h"
#include "memory.h"
#include "mote_module.h"
#include "request.h"

enum { UNCAUGHT_OUT_OF_MEMORY = 0x200 };

/* Flags of the result, above those of lib/_guest. */
enum { MEMORY_REFUSED = 0x10000 };

static PyObject *guest; /* the package _guest */

static void die(const char *what) {
  if (Py_IsInitialized() && PyErr_Occurred()) PyErr_Print();
  dprintf(2, "Cannot start Python: %s\n", what);
  _exit(1);
}

/* The streams are files that the host serves, so that whatever writes to them, in whatever language, is heard at once. */
static void redirect(void) {
  static const struct {
    const char *path;
    int flags;
  } streams[] = {{"/mote/stdin", O_RDONLY}, {"/mote/stdout", O_WRONLY}, {"/mote/stderr", O_WRONLY}};
  for (int file = 0; file < 3; file++) {
    int opened = open(streams[file].path, streams[file].flags);
    if (opened < 0 || dup2(opened, file) < 0) die("the host serves no streams");
    if (opened != file) close(opened);
  }
}

/* The kernel unpacks the image into writable directories. It asks no user's number, only the mode. */
static int protect(const char *path, const struct stat *found, int kind, struct FTW *at) {
  static const char *const open_ones[] = {"/sandbox", "/tmp", "/mote", "/site-packages", "/mnt", "/dev", "/proc"};
  for (size_t i = 0; i < sizeof open_ones / sizeof *open_ones; i++)
    if (strcmp(path, open_ones[i]) == 0) return FTW_SKIP_SUBTREE;
  int runs = kind == FTW_D || (found->st_mode & 0100);
  if ((kind == FTW_D || kind == FTW_F) && chmod(path, runs ? 0555 : 0444) != 0) return FTW_STOP;
  return FTW_CONTINUE;
}

static void configure(PyConfig *config) {
  config->site_import = 0;
  config->install_signal_handlers = 0;
  config->write_bytecode = 0;
  config->parse_argv = 0;
  config->pathconfig_warnings = 0;
  config->module_search_paths_set = 1;
  static const wchar_t *const search[] = {L"/sandbox", L"/lib/python3.11", L"/lib/python3.11/lib-dynload", L"/site-packages"};
  for (size_t i = 0; i < sizeof search / sizeof *search; i++)
    PyWideStringList_Append(&config->module_search_paths, search[i]);
  wchar_t **const roots[] = {&config->prefix, &config->exec_prefix, &config->base_prefix, &config->base_exec_prefix};
  for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) PyConfig_SetString(config, roots[i], L"/");
  PyConfig_SetString(config, &config->executable, L"/python");
  PyConfig_SetString(config, &config->base_executable, L"/python");
  PyConfig_SetString(config, &config->stdlib_dir, L"/lib/python3.11");
}

static PyObject *call_guest(const char *name, PyObject *argument) {
  PyObject *function = PyObject_GetAttrString(guest, name);
  PyObject *result = !function ? NULL : argument ? PyObject_CallOneArg(function, argument) : PyObject_CallNoArgs(function);
  Py_XDECREF(function);
  return result;
}

static void call_hook(const char *name, PyObject *argument) {
  PyObject *result = call_guest(name, argument);
  if (result)
    Py_DECREF(result);
  else
    PyErr_Print();
}

static void start(void) {
  if (chdir("/sandbox") != 0) die("there is no /sandbox");
  PyImport_AppendInittab("_mote", mote_module);
  PyPreConfig preconfig;
  PyPreConfig_InitIsolatedConfig(&preconfig);
  preconfig.utf8_mode = 1;
  Py_PreInitialize(&preconfig);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  configure(&config);
  PyStatus status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) die(status.err_msg ? status.err_msg : "unknown reason");
  guest = PyImport_ImportModule("_guest");
  if (!guest) die("_guest failed");
}

static uint32_t run(void) {
  memory_take_refused();
  memory_limit(request.memory_bytes);
  if (request.flags & REQUEST_FRESH) {
    call_hook("attach", NULL);
    call_hook("mode", request.flags & REQUEST_INTERACTIVE ? Py_True : Py_False);
  }
  lseek(0, 0, SEEK_SET);
  uint32_t outcome;
  PyObject *bytes = PyBytes_FromStringAndSize(request.code.bytes, (Py_ssize_t)request.code.length);
  PyObject *result = bytes ? call_guest(request.flags & REQUEST_PRELOAD ? "preloaded" : "run", bytes) : NULL;
  Py_XDECREF(bytes);
  if (result) {
    outcome = (uint32_t)PyLong_AsLong(result);
    Py_DECREF(result);
  } else {
    outcome = 1 | (PyErr_ExceptionMatches(PyExc_MemoryError) ? UNCAUGHT_OUT_OF_MEMORY : 0);
    PyErr_Print();
  }
  memory_limit(UINT64_MAX);
  return outcome | (memory_take_refused() ? MEMORY_REFUSED : 0);
}

int main(void) {
  if (hlcall_open() != 0) return 1;
  redirect();
  start();
  if (nftw("/", protect, 8, FTW_PHYS | FTW_ACTIONRETVAL) != 0) die("its files could not be protected");
  for (;;) {
    struct span input;
    if (hlcall_next("run", &input) != 0) continue;
    if (request_read(input, &request) != 0) die("the host's request is none");
    struct __attribute__((packed)) {
      uint32_t outcome;
      uint64_t memory_used;
    } reply = {.outcome = run()};
    reply.memory_used = memory_used();
    hlcall_result(&reply, sizeof reply);
  }
}
