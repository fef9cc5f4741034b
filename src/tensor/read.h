/* read.h — a tensor as text, from inside the library. */
#ifndef URSA_TENSOR_READ_H
#define URSA_TENSOR_READ_H

#include <ursa/tensor.h>

/* What ursa_print() prints, for the caller to free. */
char *ursa_tensor_text(const ursa_tensor *tensor);

#endif
