/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands in, weakly, until the real ones are there. */
#include "../adapters/freeze.h"
#include "live-copy.h"
#include "merge.h"
#include "mount.h"
__attribute__((weak)) int freeze_hold(struct lb_context *ctx, const char *lxcpath, const char *name, unsigned timeout_s, struct freeze *ret){(void)lxcpath;(void)name;(void)timeout_s;(void)ret;return fail(ctx,-1,"stub");}
__attribute__((weak)) int freeze_release(struct freeze *f){(void)f;return 0;}
__attribute__((weak)) int live_copy_begin(struct lb_context *ctx, const char *container, int source_fd, int target_fd, int previous_fd, struct live_copy **ret_copy){(void)container;(void)source_fd;(void)target_fd;(void)previous_fd;(void)ret_copy;return fail(ctx,-1,"stub");}
__attribute__((weak)) int live_copy_pass(struct live_copy *copy, bool last){(void)copy;(void)last;return -1;}
__attribute__((weak)) int live_copy_finish(struct live_copy *copy, int layer_fd){(void)copy;(void)layer_fd;return -1;}
__attribute__((weak)) void live_copy_get_counts(const struct live_copy *copy, struct live_copy_counts *c){(void)copy;(void)c;}
__attribute__((weak)) void live_copy_free(struct live_copy **copy){(void)copy;}
__attribute__((weak)) bool snapshot_is_mounted(struct lb_context *ctx, const char *container, const char *label){(void)ctx;(void)container;(void)label;return false;}
__attribute__((weak)) int lb_snapshot_mount(struct lb_context *ctx, const char *container, const char *label, const char *directory){(void)container;(void)label;(void)directory;return fail(ctx,-1,"stub");}
__attribute__((weak)) int lb_snapshot_diff(struct lb_context *ctx, const char *container, const char *before, const char *after, lb_difference_fn fn, void *userdata){(void)container;(void)before;(void)after;(void)fn;(void)userdata;return fail(ctx,-1,"stub");}
__attribute__((weak)) int layers_merge(struct lb_context *ctx, const struct merge_layer *layers, size_t count, int out_fd){(void)layers;(void)count;(void)out_fd;return fail(ctx,-1,"stub");}
