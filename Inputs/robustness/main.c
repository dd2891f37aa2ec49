// Pulls both members of the archives.
int first(void), second(void);
int main(void) { return first() + second(); }
