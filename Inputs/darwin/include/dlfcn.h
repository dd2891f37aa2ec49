#ifndef DARWIN_DLFCN_H
#define DARWIN_DLFCN_H
#define RTLD_LAZY 1
#define RTLD_NOW 2
#define RTLD_DEFAULT ((void *)0)
#ifdef __cplusplus
extern "C" {
#endif
void *dlopen(const char *, int);
void *dlsym(void *, const char *);
char *dlerror(void);
int dlclose(void *);
#ifdef __cplusplus
}
#endif
#endif
