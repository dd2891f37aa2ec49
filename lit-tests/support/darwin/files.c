// Files and folders: Darwin's structures, flags and special descriptors.

#include "darwin.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

// Apple's <sys/stat.h>, with 64-bit inode numbers.
struct d_stat {
  int32_t dev;
  uint16_t mode, nlink;
  uint64_t ino;
  uint32_t uid, gid;
  int32_t rdev;
  struct timespec atime, mtime, ctime, birth;
  int64_t size, blocks;
  int32_t blksize;
  uint32_t flags, gen, spare;
  int64_t more[2];
};
_Static_assert(sizeof(struct d_stat) == 144, "struct stat");

// AT_FDCWD of Apple's <fcntl.h>.
static int folder(int fd) { return fd == -2 ? AT_FDCWD : fd; }

static int to_stat(int result, const struct stat *s, struct d_stat *d) {
  if (!result)
    *d = (struct d_stat){
        .dev = s->st_dev,
        .mode = s->st_mode,
        .nlink = s->st_nlink,
        .ino = s->st_ino,
        .uid = s->st_uid,
        .gid = s->st_gid,
        .rdev = s->st_rdev,
        .atime = s->st_atim,
        .mtime = s->st_mtim,
        .ctime = s->st_ctim,
        .size = s->st_size,
        .blocks = s->st_blocks,
        .blksize = s->st_blksize,
    };
  return result;
}

int darwin_stat(const char *path, struct d_stat *d) {
  struct stat s;
  return to_stat(stat(path, &s), &s, d);
}
int darwin_lstat(const char *path, struct d_stat *d) {
  struct stat s;
  return to_stat(lstat(path, &s), &s, d);
}
int darwin_fstat(int fd, struct d_stat *d) {
  struct stat s;
  return to_stat(fstat(fd, &s), &s, d);
}
int darwin_fstatat(int fd, const char *path, struct d_stat *d, int flags) {
  struct stat s;
  int own = flags & 0x20 ? AT_SYMLINK_NOFOLLOW : 0;
  return to_stat(fstatat(folder(fd), path, &s, own), &s, d);
}

struct d_dirent {
  uint64_t ino, seek;
  uint16_t reclen, namlen;
  uint8_t type;
  char name[1024];
};

void *darwin_opendir(const char *path) { return opendir(path); }
void *darwin_fdopendir(int fd) { return fdopendir(fd); }
int darwin_readdir_r(DIR *dir, struct d_dirent *entry, struct d_dirent **result) {
  errno = 0;
  struct dirent *found = readdir(dir);
  *result = found ? entry : 0;
  if (!found)
    return errno;
  *entry = (struct d_dirent){
      .ino = found->d_ino,
      .reclen = sizeof *entry,
      .namlen = strlen(found->d_name),
      .type = found->d_type,
  };
  strcpy(entry->name, found->d_name);
  return 0;
}

// Flags of open and of fcntl's F_SETFL, from Apple's <fcntl.h>.
static int open_flags(int flags) {
  static const int map[][2] = {
      {4, O_NONBLOCK},  {8, O_APPEND},   {0x80, O_SYNC},      {0x100, O_NOFOLLOW},     {0x200, O_CREAT},
      {0x400, O_TRUNC}, {0x800, O_EXCL}, {0x20000, O_NOCTTY}, {0x100000, O_DIRECTORY}, {0x1000000, O_CLOEXEC},
  };
  int own = flags & O_ACCMODE;
  for (size_t i = 0; i < sizeof map / sizeof *map; i++)
    if (flags & map[i][0])
      own |= map[i][1];
  return own;
}

int fixed_open(const char *path, int flags, int mode) { return open(path, open_flags(flags), mode); }
int fixed_openat(int fd, const char *path, int flags, int mode) {
  return openat(folder(fd), path, open_flags(flags), mode);
}
int fixed_fcntl(int fd, int command, long argument) {
  switch (command) {
  case 0: // F_DUPFD
  case 1: // F_GETFD
  case 2: // F_SETFD
  case 3: // F_GETFL
    return fcntl(fd, command, argument);
  case 4: // F_SETFL
    return fcntl(fd, F_SETFL, open_flags(argument));
  case 51: // F_FULLFSYNC
    return fsync(fd);
  case 67: // F_DUPFD_CLOEXEC
    return fcntl(fd, F_DUPFD_CLOEXEC, argument);
  default:
    TRACE("fcntl(%d)\n", command);
    return fail(EINVAL);
  }
}
int fixed_ioctl(int fd, unsigned long request, long argument) {
  (void)argument;
  // FIOCLEX
  return request == 0x20006601 ? fcntl(fd, F_SETFD, FD_CLOEXEC) : fail(ENOTTY);
}

#ifdef __aarch64__
// Apple passes variable arguments on the stack.
#define VARIADIC(name, target, reg)                                                                                    \
  __asm__(".globl " #name "\n.type " #name ",%function\n" #name ": ldr " reg ", [sp]\n b " #target "\n");
VARIADIC(darwin_open, fixed_open, "x2")
VARIADIC(darwin_fcntl, fixed_fcntl, "x2")
VARIADIC(darwin_ioctl, fixed_ioctl, "x2")
VARIADIC(darwin_openat, fixed_openat, "x3")
#else
int darwin_open(const char *path, int flags, int mode) { return fixed_open(path, flags, mode); }
int darwin_openat(int fd, const char *path, int flags, int mode) { return fixed_openat(fd, path, flags, mode); }
int darwin_fcntl(int fd, int command, long argument) { return fixed_fcntl(fd, command, argument); }
int darwin_ioctl(int fd, unsigned long request, long argument) { return fixed_ioctl(fd, request, argument); }
#endif

int darwin_close(int fd) { return close(fd); }
int darwin_unlinkat(int fd, const char *path, int flags) {
  return unlinkat(folder(fd), path, flags & 0x80 ? AT_REMOVEDIR : 0);
}
int darwin_linkat(int fd, const char *path, int to, const char *new, int flags) {
  return linkat(folder(fd), path, folder(to), new, flags & 0x40 ? AT_SYMLINK_FOLLOW : 0);
}
char *darwin_realpath(const char *path, char *to) { return realpath(path, to); }

// What callers must do without on other file systems, too.
#define NOT_HERE(name)                                                                                                 \
  int darwin_##name(void) { return fail(ENOTSUP); }
NOT_HERE(fclonefileat)
NOT_HERE(fcopyfile)
NOT_HERE(copyfile_state_free)
NOT_HERE(copyfile_state_get)
NOT_HERE(setattrlist)
NOT_HERE(fsetattrlist)
NOT_HERE(getpeereid)
NOT_HERE(sysctlbyname)
NOT_HERE(confstr)
void *darwin_copyfile_state_alloc(void) { return 0; }
