//! ELF relocatable files (System V gABI, chapter 4; x86-64 psABI; AAELF64).
