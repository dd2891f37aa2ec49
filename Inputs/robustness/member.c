// A member of the archives; the smaller it is, the more of the flips hit the archive's own bytes.
int NAME(void) { return 1; }
