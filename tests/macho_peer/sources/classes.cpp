// Tables of classes: virtual and multiple inheritance, thunks, type information, inline and template variables, guards, member pointers.
// flags:
// flags: -fno-rtti -fvisibility=hidden
// flags: -ffunction-sections -fdata-sections -fvisibility-inlines-hidden

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
  virtual Shape *copy() const = 0;
};
struct Named {
  virtual const char *name() const { return "named"; }
  virtual ~Named();
  long id = 7;
};
struct Round : virtual Shape {
  double radius = 1;
  double area() const override { return 3 * radius * radius; }
};
struct Sign : virtual Shape, Named {
  const char *name() const override;
};
struct Button final : Round, Sign {
  Button *copy() const override { return new Button(*this); }
  double area() const override { return Round::area() * 2; }
  const char *name() const override { return "button"; }
};
Named::~Named() { id = 0; }
const char *Sign::name() const { return "sign"; }

#if __has_feature(cxx_rtti)
Button *as_button(Shape *shape) { return dynamic_cast<Button *>(shape); }
Named *across(Shape &shape) { return &dynamic_cast<Named &>(shape); }
void *whole(Shape *shape) { return dynamic_cast<void *>(shape); }
#endif

Shape *make() { return new Button; }
double (Shape::*measure)() const = &Shape::area;
const char *(Named::*naming)() const = &Named::name;
long Named::*number = &Named::id;
double call(Shape &shape) { return (shape.*measure)(); }

inline int counter = 3;
template <typename T> inline T shared = T(4);
template <typename T> struct Table {
  static T entries[3];
  static T first() { return entries[0]; }
};
template <typename T> T Table<T>::entries[3] = {1, 2, 3};
int tables() { return Table<int>::first() + Table<short>::entries[2] + shared<int> + shared<char> + counter++; }

struct Config {
  Config();
  ~Config();
  int value;
};
int configured() {
  static Config config;
  static const char *const names[] = {"zero", "one", "two"};
  return config.value + names[config.value & 1][0];
}
Config before_main;
static Config hidden_before_main;
__attribute__((init_priority(200))) Config early;
__attribute__((constructor)) static void prepare() { hidden_before_main.value = configured(); }
__attribute__((destructor)) static void finish() { before_main.value = 0; }

auto lambda = [](int value) { return value + counter; };
int (*pointer)(int) = lambda;
int operator""_times(unsigned long long value) { return static_cast<int>(value) * counter; }
int literal() { return 12_times; }
