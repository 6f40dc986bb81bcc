// What ordinary C does with files, told on stdout.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SAY(call) say(#call, (long)(call))

static void say(const char *what, long result) {
    printf("%s = %ld%s%s\n", what, result, result < 0 ? " " : "", result < 0 ? strerror(errno) : "");
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) {
        say("opendir", -1);
        return;
    }
    char *names[2000];
    int n = 0;
    for (struct dirent *entry; n < 2000 && (entry = readdir(dir));) names[n++] = strdup(entry->d_name);
    closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    printf("%s: %d:", path, n);
    for (int i = 0; i < n && i < 8; i++) printf(" %s", names[i]);
    puts("");
}

static void show(const char *path) {
    struct stat st;
    int result = lstat(path, &st);
    printf("%s: %d", path, result);
    if (!result) {
        printf(" mode %o", (unsigned)(st.st_mode & S_IFMT));
        if (S_ISREG(st.st_mode)) printf(" size %lld links %lld", (long long)st.st_size, (long long)st.st_nlink);
    }
    puts("");
}

int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("arg %s\n", argv[i]);
    printf("HOME %s\n", getenv("HOME"));
    char cwd[100], text[100];
    printf("cwd %s\n", getcwd(cwd, sizeof cwd));
    SAY(isatty(1));

    FILE *file = fopen("notes.txt", "w+");
    for (int i = 0; i < 1000; i++) fprintf(file, "line %d\n", i);
    fseek(file, -9, SEEK_END);
    printf("%s", fgets(text, sizeof text, file));
    fseek(file, 5000, SEEK_SET);
    printf("%ld %s", ftell(file), fgets(text, sizeof text, file));
    fclose(file);
    show("notes.txt");
    show("/sandbox/notes.txt");
    file = fopen("notes.txt", "a");
    fputs("the end\n", file);
    fclose(file);
    show("notes.txt");
    SAY(truncate("notes.txt", 10));
    show("notes.txt");

    SAY(mkdir("dir", 0777));
    SAY(mkdir("dir", 0777));
    SAY(mkdir("no/dir", 0777));
    for (int i = 0; i < 1500; i++) {
        snprintf(text, sizeof text, "dir/file-%04d", i);
        close(open(text, O_CREAT | O_WRONLY, 0666));
    }
    list("dir");
    SAY(rmdir("dir"));
    // In rounds, since the cookies of wasmtime-wasi skip entries when others go.
    int removed = 0;
    for (int before = -1; before != removed;) {
        before = removed;
        DIR *dir = opendir("dir");
        for (struct dirent *entry; (entry = readdir(dir));) {
            snprintf(text, sizeof text, "dir/%s", entry->d_name);
            removed += unlink(text) == 0;
        }
        closedir(dir);
    }
    printf("removed %d\n", removed);
    list("dir");
    SAY(rmdir("dir"));
    list("dir");

    SAY(link("notes.txt", "same.txt"));
    show("same.txt");
    SAY(symlink("same.txt", "link.txt"));
    show("link.txt");
    memset(text, 0, sizeof text);
    SAY(readlink("link.txt", text, sizeof text));
    puts(text);
    SAY(rename("link.txt", "/sandbox/moved.txt"));
    file = fopen("moved.txt", "r");
    SAY(fread(text, 1, sizeof text, file));
    fclose(file);
    SAY(unlink("notes.txt"));
    SAY(unlink("notes.txt"));
    SAY(unlink("../etc/passwd") < 0);
    SAY(open("/etc/passwd", O_RDONLY) < 0);
    SAY(open("same.txt", O_CREAT | O_EXCL | O_WRONLY, 0666));
    SAY(open("same.txt", O_DIRECTORY | O_RDONLY));
    list(".");

    int fd = open("/tmp/hole", O_CREAT | O_RDWR, 0666);
    SAY(pwrite(fd, "x", 1, 100000));
    SAY(lseek(fd, 0, SEEK_END));
    SAY(pread(fd, text, 10, 99995));
    SAY(ftruncate(fd, 5));
    SAY(unlink("/tmp/hole"));
    SAY(write(fd, "y", 1));
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(close(fd));
    SAY(close(fd));
    SAY(chdir("/tmp"));
    printf("cwd %s\n", getcwd(cwd, sizeof cwd));
    list(".");

    struct timespec nap = {0, 1000000}, before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    SAY(nanosleep(&nap, NULL));
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ns = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
    SAY(ns >= 1000000);
    while (fgets(text, sizeof text, stdin)) printf("in: %s\n", text);
    fflush(stdout);
    return 42;
}
