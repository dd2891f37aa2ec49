// The other half of tls-main.c.
int target = 42;
__thread int shared = 10;
__thread int *pointer = &target;
__thread long block[8] __attribute__((aligned(64)));
__thread short weak __attribute__((weak)) = 77;
extern __thread int counted;
static __thread int local = 1, zero;
static __thread char letters[8] = "txt";

int bump(void) {
  zero += 2;
  return ++local + ++shared + zero + counted * 100;
}
int *where(void) { return &shared; }
const char *text(void) { return letters; }
