/* ursa.h — everything. */
#ifndef URSA_H
#define URSA_H

#include <ursa/base.h>
#include <ursa/callbacks.h>
#include <ursa/data.h>
#include <ursa/datablock.h>
#include <ursa/device.h>
#include <ursa/download.h>
#include <ursa/frame.h>
#include <ursa/image.h>
#include <ursa/interpret.h>
#include <ursa/io.h>
#include <ursa/kaggle.h>
#include <ursa/learner.h>
#include <ursa/loss.h>
#include <ursa/metrics.h>
#include <ursa/model.h>
#include <ursa/nn.h>
#include <ursa/optim.h>
#include <ursa/plot.h>
#include <ursa/tensor.h>
#include <ursa/transform.h>
#include <ursa/vision.h>
#include <ursa/vision_data.h>

#endif
