// Signals: Darwin's numbers, sets of 32 bits, and what handlers are given.

#include "darwin.h"
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

// Linux's numbers and Darwin's, where they differ.
static const int numbers[][2] = {
    {SIGBUS, 10},  {SIGSYS, 12},  {SIGURG, 16}, {SIGSTOP, 17}, {SIGTSTP, 18},
    {SIGCONT, 19}, {SIGCHLD, 20}, {SIGIO, 23},  {SIGUSR1, 30}, {SIGUSR2, 31},
};
enum { COUNT = sizeof numbers / sizeof *numbers, D_SIGEMT = 7 };

static int to_linux(int number) {
  for (int i = 0; i < COUNT; i++)
    if (numbers[i][1] == number)
      return numbers[i][0];
  return number == D_SIGEMT ? SIGSTKFLT : number;
}

static int to_darwin(int number) {
  for (int i = 0; i < COUNT; i++)
    if (numbers[i][0] == number)
      return numbers[i][1];
  return number == SIGSTKFLT ? D_SIGEMT : number;
}

static void to_linux_set(sigset_t *own, uint32_t set) {
  sigemptyset(own);
  for (int n = 1; n < 32; n++)
    if (set >> (n - 1) & 1)
      sigaddset(own, to_linux(n));
}

static uint32_t to_darwin_set(const sigset_t *own) {
  uint32_t set = 0;
  for (int n = 1; n < 32; n++)
    if (sigismember(own, to_linux(n)) == 1)
      set |= 1u << (n - 1);
  return set;
}

int darwin_sigemptyset(uint32_t *set) {
  *set = 0;
  return 0;
}
int darwin_sigfillset(uint32_t *set) {
  *set = ~0u;
  return 0;
}
int darwin_sigaddset(uint32_t *set, int number) {
  *set |= 1u << (number - 1);
  return 0;
}
int darwin_sigdelset(uint32_t *set, int number) {
  *set &= ~(1u << (number - 1));
  return 0;
}

int darwin_pthread_sigmask(int how, const uint32_t *set, uint32_t *old) {
  sigset_t own, before;
  if (set)
    to_linux_set(&own, *set);
  // SIG_BLOCK and its likes begin with 1 there, with 0 here.
  int result = pthread_sigmask(how - 1, set ? &own : 0, &before);
  if (old)
    *old = to_darwin_set(&before);
  return result;
}

int darwin_raise(int number) { return raise(to_linux(number)); }
int darwin_kill(int process, int number) { return kill(process, to_linux(number)); }

// Apple's <sys/signal.h> and <mach/*/_structs.h>, as far as rjitlink looks at them.
struct d_action {
  void *handler;
  uint32_t mask;
  int flags;
};
struct d_info {
  int number, error, code, pid;
  unsigned uid;
  int status;
  void *address, *value;
  long band, pad[7];
};
#ifdef __aarch64__
struct d_mcontext {
  uint64_t far;
  uint32_t esr, exception;
  uint64_t x[29], fp, lr, sp, pc;
  uint32_t cpsr, pad;
};
#else
struct d_mcontext {
  uint16_t trap, cpu;
  uint32_t error;
  uint64_t fault, rax, rbx, rcx, rdx, rdi, rsi, rbp, rsp, r[8], rip, rflags, cs, fs, gs;
};
#endif
struct d_stack {
  void *sp;
  size_t size;
  int flags;
};
struct d_ucontext {
  int onstack;
  uint32_t mask;
  struct d_stack stack;
  void *link;
  size_t size;
  struct d_mcontext *registers;
};

static struct d_action actions[32];

static struct d_mcontext to_darwin_registers(const ucontext_t *own) {
  struct d_mcontext m = {0};
#ifdef __aarch64__
  for (int i = 0; i < 29; i++)
    m.x[i] = own->uc_mcontext.regs[i];
  m.fp = own->uc_mcontext.regs[29];
  m.lr = own->uc_mcontext.regs[30];
  m.sp = own->uc_mcontext.sp;
  m.pc = own->uc_mcontext.pc;
#else
  m.rip = own->uc_mcontext.gregs[REG_RIP];
  m.rsp = own->uc_mcontext.gregs[REG_RSP];
  m.rbp = own->uc_mcontext.gregs[REG_RBP];
#endif
  return m;
}

// The handler that the kernel knows: calls Darwin's, which may change where the program goes on.
static void enter(int number, siginfo_t *info, void *context) {
  ucontext_t *own = context;
  struct d_mcontext m = to_darwin_registers(own);
  struct d_ucontext u = {.size = sizeof m, .registers = &m};
  // XNU never says that somebody has sent a signal: not for those that processors raise, and of others
  // the code is 0.
  int raised = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;
  int sent = info->si_code <= 0;
  struct d_info i = {
      .number = to_darwin(number),
      .code = !raised ? 0
              : sent  ? 2
                      : info->si_code,
      .pid = raised ? 0 : info->si_pid,
      .address = sent ? 0 : info->si_addr,
  };
  void (*handler)(int, struct d_info *, void *) = actions[i.number].handler;
  handler(i.number, &i, &u);
#ifdef __aarch64__
  own->uc_mcontext.pc = m.pc;
  own->uc_mcontext.sp = m.sp;
#else
  own->uc_mcontext.gregs[REG_RIP] = m.rip;
  own->uc_mcontext.gregs[REG_RSP] = m.rsp;
#endif
}

static int to_linux_flags(int flags) {
  int own = SA_SIGINFO;
  own |= (flags & 1 ? SA_ONSTACK : 0) | (flags & 2 ? SA_RESTART : 0);
  own |= (flags & 4 ? SA_RESETHAND : 0) | (flags & 0x10 ? SA_NODEFER : 0);
  return own;
}

int darwin_sigaction(int number, const struct d_action *new, struct d_action *old) {
  struct sigaction own = {0}, before;
  struct d_action was = actions[number];
  if (new) {
    // SIG_DFL and SIG_IGN are 0 and 1 in both.
    int is_function = (uintptr_t)new->handler > 1;
    own.sa_sigaction = is_function ? enter : (void (*)(int, siginfo_t *, void *))new->handler;
    to_linux_set(&own.sa_mask, new->mask);
    own.sa_flags = to_linux_flags(new->flags);
    actions[number] = *new;
  }
  int result = sigaction(to_linux(number), new ? &own : 0, &before);
  if (old)
    *old = before.sa_sigaction == enter ? was : (struct d_action){.handler = before.sa_handler};
  return result;
}

void *darwin_signal(int number, void *handler) {
  struct d_action new = {handler, 0, 2}, old;
  return darwin_sigaction(number, &new, &old) ? (void *)-1 : old.handler;
}

int darwin_sigaltstack(const struct d_stack *new, struct d_stack *old) {
  enum { D_SS_DISABLE = 4 };
  stack_t own = {0}, before;
  if (new)
    own = (stack_t){new->sp, new->flags & D_SS_DISABLE ? SS_DISABLE : 0, new->size};
  int result = sigaltstack(new ? &own : 0, &before);
  if (old)
    *old = (struct d_stack){before.ss_sp, before.ss_size, before.ss_flags & SS_DISABLE ? D_SS_DISABLE : 0};
  return result;
}
