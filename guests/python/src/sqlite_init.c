/* Compiled behind the amalgamation. fcntl() locks do not exist in WASI, so the lock-free file system is the default. */
int mote_sqlite_init(const char *unused) {
  (void)unused;
  return sqlite3_vfs_register(sqlite3_vfs_find("unix-none"), 1);
}
