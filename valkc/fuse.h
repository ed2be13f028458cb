/* fuse.h - operations into the statement that uses their result. */
#ifndef VALKC_FUSE_H
#define VALKC_FUSE_H
#include "low.h"

void fuse_run(LowProgram *low);
#endif
