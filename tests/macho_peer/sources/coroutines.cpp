// Coroutines, with just as much of their library as the compiler asks for.
// flags: -std=c++20

namespace std {
template <typename R, typename...> struct coroutine_traits {
  using promise_type = typename R::promise_type;
};
template <typename P = void> struct coroutine_handle;
template <> struct coroutine_handle<void> {
  void *frame = nullptr;
  static coroutine_handle from_address(void *address) { return {address}; }
  void *address() const { return frame; }
  void resume() const { __builtin_coro_resume(frame); }
  void destroy() const { __builtin_coro_destroy(frame); }
  bool done() const { return __builtin_coro_done(frame); }
};
template <typename P> struct coroutine_handle : coroutine_handle<> {
  static coroutine_handle from_address(void *address) {
    coroutine_handle handle;
    handle.frame = address;
    return handle;
  }
  static coroutine_handle from_promise(P &promise) {
    return from_address(__builtin_coro_promise(&promise, alignof(P), true));
  }
  P &promise() const { return *static_cast<P *>(__builtin_coro_promise(frame, alignof(P), false)); }
};
struct suspend_always {
  bool await_ready() const noexcept { return false; }
  void await_suspend(coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};
} // namespace std

struct Generator {
  struct promise_type {
    int current;
    Generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(int value) {
      current = value;
      return {};
    }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> handle;
};

int outside(int);

Generator numbers(int first, int count) {
  for (int index = 0; index < count; ++index)
    co_yield first + outside(index);
}
Generator tree(int depth) {
  if (depth > 0) {
    Generator inner = tree(depth - 1);
    for (inner.handle.resume(); !inner.handle.done(); inner.handle.resume())
      co_yield inner.handle.promise().current;
    inner.handle.destroy();
  }
  co_yield depth;
}
int total(int count) {
  Generator generator = numbers(1, count);
  int sum = 0;
  for (generator.handle.resume(); !generator.handle.done(); generator.handle.resume())
    sum += generator.handle.promise().current;
  generator.handle.destroy();
  return sum;
}
