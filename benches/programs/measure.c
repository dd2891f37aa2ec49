// Runs one command and says what it took: measure OUTPUT COMMAND [ARGUMENT...]
//
// The command's standard output goes to the file OUTPUT, its standard error to OUTPUT.err. One line of numbers is printed:
//   status (128 + signal if it died of one), wall time in ns, user and system time in us, peak RSS in KiB, minor and major page faults.
// A process of its own, and a small one, because Linux counts the pages that a child shares with its parent before exec as the child's peak.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long microseconds(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

static int create(const char *path) { return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); }

int main(int argc, char **argv) {
  char errors[4096];
  if (argc < 3)
    return 2;
  snprintf(errors, sizeof errors, "%s.err", argv[1]);
  int out = create(argv[1]), err = create(errors), in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (out < 0 || err < 0 || in < 0)
    return perror(argv[1]), 2;
  long long start = now();
  pid_t child = fork();
  if (child == 0) {
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  struct rusage usage;
  int status;
  if (child < 0 || wait4(child, &status, 0, &usage) != child)
    return perror("measure"), 2;
  long long took = now() - start;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  printf("%d %lld %lld %lld %ld %ld %ld\n", code, took, microseconds(usage.ru_utime), microseconds(usage.ru_stime), usage.ru_maxrss,
         usage.ru_minflt, usage.ru_majflt);
  return 0;
}
