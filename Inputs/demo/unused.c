// Never called, so never linked: that no_such_function does not exist goes unnoticed.
int no_such_function(int);

int unused(int n) { return no_such_function(n); }
