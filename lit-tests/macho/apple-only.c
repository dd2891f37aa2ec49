// What only Apple's systems have is named in the error, before anything runs.
//
// REQUIRES: linux
// RUN: %darwin -c %s -o %t.o
// RUN: not %rjitlink %t.o 2>&1 | FileCheck %s --implicit-check-not=started
//
// CHECK: rjitlink: error: Symbols not found: [ _dispatch_sync_f, _objc_msgSend ]
// CHECK: _dispatch_sync_f is part of Grand Central Dispatch, which only Apple's systems have
// CHECK: _objc_msgSend is part of the Objective-C runtime, which only Apple's systems have

int puts(const char *);
void *objc_msgSend(void *, void *);
void dispatch_sync_f(void *, void *, void (*)(void *));
int main(void) {
  puts("started");
  dispatch_sync_f(0, 0, 0);
  return objc_msgSend(0, 0) != 0;
}
