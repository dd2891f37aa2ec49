// Thread-local variables of every kind: plain, zero, aligned, with constructors and destructors, of other files, in functions and templates.
// flags:
// flags: -fno-threadsafe-statics

struct Logged {
  Logged();
  ~Logged();
  int count;
};
extern thread_local int elsewhere;
extern thread_local Logged logged_elsewhere;
thread_local int zero;
thread_local int five = 5;
thread_local const char *text = "initial";
alignas(64) thread_local char buffer[200];
thread_local Logged logged;
static thread_local long hidden_array[7] = {1, 2, 3};
static thread_local int *unset;
template <typename T> struct PerThread {
  static thread_local T value;
};
template <typename T> thread_local T PerThread<T>::value = 9;
__thread unsigned char small = 200;

int sum() {
  static thread_local int calls = 100;
  thread_local Logged local;
  return zero + five + ++calls + local.count + logged.count + static_cast<int>(hidden_array[2]) + small;
}
int others() { return elsewhere + logged_elsewhere.count; }
long templates() { return PerThread<long>::value + PerThread<short>::value; }
int *address() { return &zero; }
char *inside(int index) { return buffer + index; }
const char *swap(const char *other) {
  const char *old = text;
  text = other;
  unset = &five;
  return old;
}
