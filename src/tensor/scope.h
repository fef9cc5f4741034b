/* scope.h — scopes as tensor.c sees them. */
#ifndef URSA_TENSOR_SCOPE_H
#define URSA_TENSOR_SCOPE_H

#include "tensor.h"

/* Puts a new tensor into the current scope of this thread. */
void ursa_scope_adopt(ursa_tensor *tensor);
/* Takes it out of its scope, if any. */
void ursa_scope_disown(ursa_tensor *tensor);

/* The same, for who knows that nobody will ask the scope for it: it goes at
 * once, unless a tape or ursa_keep() holds it. Takes NULL. */
void ursa_tensor_let_go(ursa_tensor *tensor);

/* Frees a tensor that nobody holds any more. */
void ursa_tensor_destroy(ursa_tensor *tensor);

#endif
