#pragma once
#include "../core/context.h"
struct freeze { uint64_t frozen_us; };
int freeze_hold(struct lb_context *ctx, const char *lxcpath, const char *name, unsigned timeout_s, struct freeze *ret);
int freeze_release(struct freeze *f);
