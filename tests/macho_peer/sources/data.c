// Data that points to all sorts of places: to strings and their middles, in front of and behind variables, at odd offsets, to labels.
// flags:
// flags: -fno-common -fdata-sections
// flags: -fprofile-instr-generate
// flags: -fsanitize=undefined -fno-sanitize-recover
// flags: -g -fcommon
typedef unsigned short char16;
typedef unsigned int char32;
extern int elsewhere[10];
extern int function(int);
int numbers[20] = {1, 2, 3};
int tentative;
static int quiet[4];
char large[100000];
__attribute__((aligned(256))) static char aligned[3] = "ab";
__attribute__((visibility("hidden"))) int hidden = 4;
__attribute__((weak)) int replaceable = 5;
__attribute__((section("__CUSTOM,__own"), used)) static int own = 6;

const char *strings[] = {"one", "two", "one", "", "two" + 1, "a\0b", &"middle"[3]};
const char16 wide[] = u"wide";
const char32 *wider[] = {U"wider", U""};
int *places[] = {numbers, numbers + 19, numbers + 20, elsewhere, elsewhere - 3, elsewhere + 4, &tentative, quiet + 3, &hidden, &replaceable, &own, 0};
static int (*const functions[])(int) = {function, 0, function};

struct __attribute__((packed)) Odd {
  char tag;
  void *pointer;
  short more;
  const char *text;
};
struct Odd odd[2] = {{1, numbers + 1, 2, "odd"}, {3, &odd[1].more, 4, aligned}};

struct Tree {
  const struct Tree *left, *right;
  long value;
};
static const struct Tree leaf = {0, 0, 1};
const struct Tree root = {&leaf, &root, (long)&numbers[2]};
const double constants[] = {1.5, 2.5, 1.5};

int interpret(const unsigned char *code) {
  static const int offsets[] = {&&push - &&push, &&add - &&push, &&stop - &&push};
  static void *const labels[] = {&&push, &&add, &&stop};
  int stack[8], top = 0;
  goto *labels[code[0]];
push:
  stack[top++ & 7] = *code++;
  goto *(&&push + offsets[*code % 3]);
add:
  stack[0] += function(stack[top & 7]);
  goto *labels[*++code % 3];
stop:
  return stack[0] + quiet[top & 3] + large[top];
}

int dispatch(int value) {
  switch (value) {
  case 0: return function(1);
  case 1: return elsewhere[2];
  case 2: return functions[value](3);
  case 3: return strings[1][0];
  case 4: return wide[1];
  case 5: return tentative++;
  case 6: return hidden + replaceable + own;
  case 7: return (int)constants[1];
  case 8: return odd[1].tag;
  default: return -1;
  }
}
