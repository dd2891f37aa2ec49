// What happens when a lazy call cannot be completed, unless the program says otherwise: it is alone in its member so
// that a definition in the program is found first and this one is never linked.

#include "runtime.h"

enum { STANDARD_ERROR = 2, ADDRESS_DIGITS = 16, WRITE_ATTEMPTS = 16 };

static usize length_of(const char *text) {
  usize length = 0;
  while (text[length]) {
    ++length;
    __asm__("" ::: "memory"); // keeps the loop from becoming a call of strlen, a name not taken from the process
  }
  return length;
}

static char *append(char *end, const char *text, usize length) {
  for (usize i = 0; i < length; ++i) {
    end[i] = text[i];
    __asm__("" ::: "memory"); // nor memcpy
  }
  return end + length;
}

// `address` as 0x and lower-case digits, no padding. Returns the number of characters, at most 2 + ADDRESS_DIGITS.
static usize format_address(char *out, uptr address) {
  int digits = 1;
  while (digits < ADDRESS_DIGITS && address >> (4 * digits))
    ++digits;
  out[0] = '0';
  out[1] = 'x';
  for (int i = 0; i < digits; ++i)
    out[2 + i] = "0123456789abcdef"[address >> (4 * (digits - 1 - i)) & 15];
  return 2 + (usize)digits;
}

// Writes everything if that is possible at all. The number of attempts is bounded because errno, which would tell an
// interruption from a closed file, is not a name that every C library spells alike.
static void write_all(const char *text, usize length) {
  for (int attempt = 0; length && attempt < WRITE_ATTEMPTS; ++attempt) {
    isize written = write(STANDARD_ERROR, text, length);
    if (written > 0) {
      text += written;
      length -= (usize)written;
    }
  }
}

// Prints one line in one write, so that lines of several threads do not mix, and aborts. The program's own buffered
// output is left as it is: flushing it could block on a lock that this thread holds.
ORC_RT_EXPORT void __orc_rt_resolve_failed(void *stub, const char *message) {
  static const char before[] = "error resolving implementation for stub ";
  char address[2 + ADDRESS_DIGITS];
  usize address_length = format_address(address, (uptr)stub);
  usize message_length = length_of(message);
  usize length = sizeof(before) - 1 + address_length + 2 + message_length + 1;
  char *line = malloc(length);
  if (line) {
    char *end = append(line, before, sizeof(before) - 1);
    end = append(end, address, address_length);
    end = append(end, ": ", 2);
    end = append(end, message, message_length);
    append(end, "\n", 1);
    write_all(line, length);
  } else {
    write_all(before, sizeof(before) - 1);
    write_all(address, address_length);
    write_all(": ", 2);
    write_all(message, message_length);
    write_all("\n", 1);
  }
  abort();
}
