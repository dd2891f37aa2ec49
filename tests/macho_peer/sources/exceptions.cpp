// Exceptions without a library's headers: landing pads, type tables, clean-ups, filters.
// flags:
// flags: -fno-asynchronous-unwind-tables
// flags: -fomit-frame-pointer -momit-leaf-frame-pointer

struct Base {
  virtual ~Base();
  int code;
};
struct Derived : Base {
  explicit Derived(int);
  ~Derived() override;
};
struct Guard {
  explicit Guard(int *);
  ~Guard();
  int *counter;
};
namespace {
struct Hidden {
  int value;
};
} // namespace
int risky(int);
void note(const char *);

int plain(int value) {
  try {
    return risky(value);
  } catch (int number) {
    return number;
  } catch (const Base &base) {
    return base.code;
  } catch (const char *text) {
    note(text);
    return -1;
  } catch (...) {
    note("anything");
    throw;
  }
}

int nested(int value) {
  int counter = 0;
  Guard outer(&counter);
  try {
    Guard inner(&counter);
    try {
      Guard innermost(&counter);
      if (risky(value) > 3)
        throw Derived(value);
      throw Hidden{value};
    } catch (Hidden &hidden) {
      counter += hidden.value;
      throw hidden.value * 2.5;
    }
  } catch (double) {
    ++counter;
  } catch (Base *) {
    --counter;
  }
  return counter;
}

struct Member {
  Guard guard;
  Derived derived;
  int state;
  Member(int *counter, int value);
};
Member::Member(int *counter, int value) try : guard(counter), derived(value), state(risky(value)) {
} catch (const Derived &) {
  note("constructor");
}

void terminates(int value) noexcept { risky(value); }

template <typename T> T retry(T (*function)(T), T value) {
  for (int attempt = 0;; ++attempt)
    try {
      return function(value);
    } catch (T &again) {
      if (attempt == 3)
        throw;
      value = again;
    }
}
template int retry(int (*)(int), int);
template long long retry(long long (*)(long long), long long);

int many(int a, int b, int c, int d, int e, int f, int g, int h, double x, double y) {
  int counter = 0;
  Guard guard(&counter);
  double product = x * y;
  int sum = risky(a) + risky(b) + risky(c) + risky(d);
  sum += risky(e) + risky(f) + risky(g) + risky(h);
  char large[9000];
  for (char &byte : large)
    byte = static_cast<char>(risky(&byte - large));
  note(large);
  return sum + static_cast<int>(product * x) + counter;
}
