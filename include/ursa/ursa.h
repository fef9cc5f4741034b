/* ursa.h — everything. */
#ifndef URSA_H
#define URSA_H

#include <ursa/base.h>
#include <ursa/device.h>
#include <ursa/tensor.h>

#endif
