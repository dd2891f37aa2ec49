int callee(int n) { return n + 1; }
