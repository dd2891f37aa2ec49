// Takes all but two bytes of the linker's reserve of thread-local memory, with accesses that need it: other variables have to go elsewhere.
__attribute__((tls_model("initial-exec"))) __thread char filler[32750];

__attribute__((constructor)) static void fill(void) {
  for (int i = 0; i < 32750; i++) filler[i] = (char)i;
}
