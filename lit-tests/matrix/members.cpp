// Pointers to member functions, virtual and not, in tables and compared over files; virtual bases, covariant results, casts to siblings; std::function with a
// function of another file.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++20' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=other.cpp --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- s.h
#include <functional>
#include <string>
struct base { virtual ~base() = default; virtual int value() const { return 1; } virtual base *clone() const; int plain(int n); };
struct left : virtual base { int l = 2; int value() const override; left *clone() const override; };
struct right : virtual base { int r = 3; };
struct both : left, right { int value() const override; both *clone() const override; int plain2(int n) const; };
using method = int (base::*)(int);
using getter = int (base::*)() const;
method the_method();
getter the_getter();
bool same(method), same_fn(int (*)(int));
int free_function(int);
std::function<int(int)> wrapped();
base *make(int);
extern const getter table[2];
//--- main.cpp
#include "s.h"
#include <cstdio>
#include <typeinfo>
#include <memory>
int main() {
  std::unique_ptr<base> a(make(0)), b(make(1)), c(make(2));
  method m = &base::plain;
  getter g = &base::value;
  std::printf("%d %d %d\n", m == the_method(), g == the_getter(), same(m));
  std::printf("%d %d %d\n", ((*a).*m)(4), ((*c).*g)(), ((*b).*table[0])());
  std::unique_ptr<base> d(c->clone());
  std::printf("%d %d %s\n", d->value(), dynamic_cast<both *>(d.get())->plain2(5), typeid(*d).name());
  std::printf("%d %d\n", dynamic_cast<right *>(c.get())->r, dynamic_cast<right *>(b.get()) == nullptr);
  std::printf("%d %d\n", same_fn(free_function), wrapped()(3));
  auto f = wrapped();
  std::printf("%d\n", f.target<int (*)(int)>() && *f.target<int (*)(int)>() == free_function);
  getter n = nullptr;
  std::printf("%d %d\n", n == nullptr, table[1] == nullptr);
}
//--- other.cpp
#include "s.h"
base *base::clone() const { return new base(*this); }
int base::plain(int n) { return n * 10; }
int left::value() const { return l; }
left *left::clone() const { return new left(*this); }
int both::value() const { return l * r; }
both *both::clone() const { return new both(*this); }
int both::plain2(int n) const { return n + value(); }
method the_method() { return &base::plain; }
getter the_getter() { return &base::value; }
bool same(method m) { return m == &base::plain; }
bool same_fn(int (*f)(int)) { return f == free_function; }
int free_function(int n) { return n + 100; }
std::function<int(int)> wrapped() { return free_function; }
base *make(int k) { return k == 0 ? new base : k == 1 ? new left : static_cast<base *>(new both); }
const getter table[2] = {&base::value, nullptr};
