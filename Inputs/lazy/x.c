// Data only: nothing in here can be lazy.
int x = 42;
