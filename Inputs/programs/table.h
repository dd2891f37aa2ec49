// What table.c gives and table-main.c uses.
struct Operation {
  const char *name;
  int (*function)(int, int);
  int *place;
};
extern const struct Operation operations[4];
extern int exported;
extern const double factors[3];
extern long longs[2];
extern char bytes[40];
int multiply(int, int);
const char *name_of(int);
int computed(int);
double mix(int);
char *describe(int);
void sort_names(const char **, int);
