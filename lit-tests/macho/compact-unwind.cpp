// Exceptions with nothing but compact unwind records: what a compiler writes in __eh_frame besides is taken away. Frames with and
// without a frame pointer, with saved registers, of sizes that fit the encoding and of one that is read from the code.
//
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %darwinxx -O0 -c %s -o o0.o && llvm-objcopy --remove-section=__TEXT,__eh_frame o0.o
// RUN: %darwinxx -O2 -c %s -o o2.o && llvm-objcopy --remove-section=__TEXT,__eh_frame o2.o
// RUN: %lazily o0.o %{cxx-library} | FileCheck %s
// RUN: %lazily o2.o %{cxx-library} | FileCheck %s
// RUN: %lazily -lazy o2.o %{cxx-library} | FileCheck %s
// RUN: %if x86_64 %{ %darwinxx -O2 -fomit-frame-pointer -c %s -o bare.o && llvm-objcopy --remove-section=__TEXT,__eh_frame bare.o %}
// RUN: %if x86_64 %{ %lazily bare.o %{cxx-library} | FileCheck %s %}
// RUN: %if x86_64 %{ llvm-objdump --unwind-info bare.o | FileCheck %s --check-prefix=ENCODINGS %}
//
// ENCODINGS-DAG: compact encoding: 0x{{[04]}}2
// ENCODINGS-DAG: compact encoding: 0x{{[04]}}3
//
// CHECK: end of middle
// CHECK-NEXT: end of middle
// CHECK-NEXT: end of middle
// CHECK-NEXT: end of middle
// CHECK-NEXT: caught 3
// CHECK-NEXT: end of middle
// CHECK-NEXT: caught 4
// CHECK-NEXT: sum 226
// CHECK-NEXT: status: 0

extern "C" int printf(const char *, ...);

struct Guard {
  const char *name;
  ~Guard() { printf("end of %s\n", name); }
};

__attribute__((noinline)) static int thrower(int n) {
  volatile char big[5000];
  big[n] = 1;
  if (n > 2)
    throw n;
  return big[n];
}

__attribute__((noinline)) static int middle(int a, int b, int c, int d) {
  Guard guard{"middle"};
  asm volatile("" ::: "memory");
  return thrower(a) + thrower(b) + a + b + c + d;
}

int main() {
  int sum = 0;
  for (int i = 0; i < 5; i++) {
    try {
      sum += middle(i, 1, 2, 3);
    } catch (int n) {
      printf("caught %d\n", n);
      sum += 103 - i;
    }
  }
  printf("sum %d\n", sum);
}
