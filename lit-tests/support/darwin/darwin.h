// A small Darwin on Linux: the functions of libSystem that rjitlink, as built for macOS, calls, on top
// of glibc. rjitlink on Linux links the objects of the macOS build and gives them these functions.
//
// A function NAME of libSystem is called darwin_NAME here. Constants and structures are those of Apple's
// headers. What XNU is strict about, this is strict about too: unknown flags of mmap, MAP_JIT with
// MAP_FIXED, pages of 16 KiB on arm64, memory that is writable and executable outside of MAP_JIT, and
// writing to MAP_JIT memory without pthread_jit_write_protect_np(0).
//
// It is a stand-in for tests, not a Mac: what it cannot know is listed in the project's documentation.

#ifndef DARWIN_H
#define DARWIN_H

#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// Bytes of a page.
#ifdef __aarch64__
enum { PAGE = 16384 };
#else
enum { PAGE = 4096 };
#endif

// Whether DARWIN_TRACE in the environment asks for what is called to be said.
extern int darwin_traces;
#define TRACE(...) (darwin_traces ? (void)fprintf(stderr, "darwin: " __VA_ARGS__) : (void)0)

// Fails with `number`, one of Linux's: errno keeps Linux's numbers here.
static inline int fail(int number) {
  errno = number;
  return -1;
}

// The functions that the dynamic symbols of other files need.
int darwin_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
void darwin__tlv_atexit(void (*destroy)(void *), void *object);
int *darwin___error(void);

#endif
