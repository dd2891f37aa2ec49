// __ehdr_start for programs that insist on it: the header of an ELF file that has nothing else. Linked memory is no loaded file, so there are
// no program headers to be found by it.

#if defined __x86_64__
#define MACHINE 62
#elif defined __aarch64__
#define MACHINE 183
#endif

// Elf64_Ehdr.
const struct {
  unsigned char ident[16];
  unsigned short type, machine;
  unsigned int version;
  unsigned long entry, program_headers, section_headers;
  unsigned int flags;
  unsigned short header_size, program_header_size, program_header_count, section_header_size, section_header_count, section_names;
} __ehdr_start = {
    {0x7f, 'E', 'L', 'F', 2, 1, 1}, 3, MACHINE, 1, 0, 0, 0, 0, 64, 56, 0, 64, 0, 0,
};
