// A function that announces itself: its line shows when it ran.
#include "say.h"

int foo(void) {
  say("in foo");
  return 42;
}
