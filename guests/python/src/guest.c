/* The exports of Guest ABI 1. Everything that can be said in Python is said in lib/_guest. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

enum { UNCAUGHT_OUT_OF_MEMORY = 0x200 };

static PyObject *guest; /* the package _guest */

static void die(const char *what) {
  if (PyErr_Occurred()) PyErr_Print();
  fprintf(stderr, "Cannot start Python: %s\n", what);
  abort();
}

static void configure(PyConfig *config) {
  config->site_import = 0;
  config->install_signal_handlers = 0;
  config->write_bytecode = 0;
  config->parse_argv = 0;
  config->pathconfig_warnings = 0;
  config->module_search_paths_set = 1;
  static const wchar_t *const search[] = {L"/sandbox", L"/lib/python3.11", L"/site-packages"};
  for (size_t i = 0; i < sizeof search / sizeof *search; i++)
    PyWideStringList_Append(&config->module_search_paths, search[i]);
  wchar_t **const roots[] = {&config->prefix, &config->exec_prefix, &config->base_prefix, &config->base_exec_prefix};
  for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) PyConfig_SetString(config, roots[i], L"/");
  PyConfig_SetString(config, &config->executable, L"/python");
  PyConfig_SetString(config, &config->base_executable, L"/python");
  PyConfig_SetString(config, &config->stdlib_dir, L"/lib/python3.11");
}

/* Whatever mote_init left below its frame is dead: as zeros it costs the snapshot nothing. */
static void scrub_stack(void) {
  char here;
  char *volatile bottom = (char *)64;
  memset(bottom, 0, (size_t)(&here - 256 - bottom));
}

__attribute__((export_name("mote_init"))) void mote_init(void) {
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
  scrub_stack();
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

__attribute__((export_name("mote_alloc"))) void *mote_alloc(size_t len) { return malloc(len ? len : 1); }

__attribute__((export_name("mote_warm"))) void mote_warm(void) { call_hook("warm", NULL); }

__attribute__((export_name("mote_attach"))) void mote_attach(void) { call_hook("attach", NULL); }

__attribute__((export_name("mote_mode"))) void mote_mode(int interactive) {
  call_hook("mode", interactive ? Py_True : Py_False);
}

__attribute__((export_name("mote_run"))) int mote_run(char *source, size_t len) {
  PyObject *bytes = PyBytes_FromStringAndSize(source, (Py_ssize_t)len);
  free(source);
  PyObject *result = bytes ? call_guest("run", bytes) : NULL;
  Py_XDECREF(bytes);
  if (!result) {
    int flags = PyErr_ExceptionMatches(PyExc_MemoryError) ? UNCAUGHT_OUT_OF_MEMORY : 0;
    PyErr_Print();
    return flags | 1;
  }
  int outcome = (int)PyLong_AsLong(result);
  Py_DECREF(result);
  return outcome;
}
