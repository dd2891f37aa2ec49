#ifndef DARWIN_MATH_H
#define DARWIN_MATH_H
#ifdef __cplusplus
extern "C" {
#endif
double sin(double), cos(double), sqrt(double), pow(double, double), exp(double), log(double), floor(double), fabs(double);
float sinf(float), cosf(float), sqrtf(float);
#ifdef __cplusplus
}
#endif
#endif
