/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "context.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"

const char *lb_version(void)
{
	return LAYERBOX_VERSION;
}

PRINTF_LIKE(3, 0)
static void vfail(struct lb_context *ctx, int error, const char *format, va_list args)
{
	int n = vsnprintf(ctx->error, sizeof ctx->error, format, args);

	if (error && n >= 0 && (size_t)n < sizeof ctx->error)
		snprintf(ctx->error + n, sizeof ctx->error - (size_t)n, ": %s", strerrordesc_np(error));
}

int fail(struct lb_context *ctx, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfail(ctx, 0, format, args);
	va_end(args);
	return code;
}

int fail_errno(struct lb_context *ctx, int error, const char *format, ...)
{
	va_list args;

	if (error < 0)
		error = -error;
	va_start(args, format);
	vfail(ctx, error, format, args);
	va_end(args);
	return -error;
}

int fail_memory(struct lb_context *ctx)
{
	return fail(ctx, -ENOMEM, "out of memory");
}

int fail_no_container(struct lb_context *ctx, const char *name)
{
	return fail(ctx, -LB_ERR_NO_CONTAINER, "there is no container '%s'; `layerbox list` shows those there are",
		    name);
}

int fail_wrap(struct lb_context *ctx, int code, const char *format, ...)
{
	char before[ERROR_MAX], cause[ERROR_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(before, sizeof before, format, args);
	va_end(args);
	text_copy(cause, sizeof cause, ctx->error);
	snprintf(ctx->error, sizeof ctx->error, "%.500s: %.1500s", before, cause);
	return code;
}

void log_message(struct lb_context *ctx, enum lb_log_level level, const char *format, ...)
{
	char message[ERROR_MAX];
	va_list args;

	if (!ctx->log)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	ctx->log(level, message, ctx->log_data);
}

void progress(struct lb_context *ctx, int percent, const char *format, ...)
{
	char step[256];
	va_list args;

	if (!ctx->progress)
		return;
	va_start(args, format);
	vsnprintf(step, sizeof step, format, args);
	va_end(args);
	ctx->progress(step, percent, ctx->progress_data);
}

int check_input_struct(struct lb_context *ctx, const void *input, size_t size, size_t known, const char *what)
{
	const unsigned char *bytes = input;

	if (!input)
		return 0;
	if (size < known)
		return fail(ctx, -EINVAL, "%s has a size of %zu bytes; this library needs at least %zu", what, size,
			    known);
	for (size_t i = known; i < size; i++)
		if (bytes[i])
			return fail(ctx, -EINVAL, "%s has a member that this library does not know; update liblayerbox",
				    what);
	return 0;
}

int lb_context_new(const struct lb_context_options *options, struct lb_context **ret_context)
{
	struct lb_context *ctx = calloc(1, sizeof *ctx);
	int r;

	*ret_context = ctx;
	if (!ctx)
		return -ENOMEM;
	ctx->root_fd = -1;
	ctx->nft_fd = -1;
	r = CHECK_INPUT(ctx, options, lb_context_options);
	if (r < 0)
		return r;
	return config_load(ctx, options ? options->config_file : NULL, options ? options->root : NULL);
}

struct lb_context *context_copy(const struct lb_context *ctx)
{
	struct lb_context *copy = calloc(1, sizeof *copy);

	if (!copy)
		return NULL;
	copy->root_fd = -1;
	copy->nft_fd = -1;
	copy->config_file = ctx->config_file ? strdup(ctx->config_file) : NULL;
	if (config_copy(&ctx->config, &copy->config) < 0 || (ctx->config_file && !copy->config_file)) {
		lb_context_free(copy);
		return NULL;
	}
	return copy;
}

void lb_context_free(struct lb_context *ctx)
{
	if (!ctx)
		return;
	config_free(&ctx->config);
	free(ctx->config_file);
	close_fd(ctx->root_fd);
	close_fd(ctx->nft_fd);
	free(ctx);
}

const char *lb_context_error(const struct lb_context *ctx)
{
	return ctx ? ctx->error : "out of memory";
}

const char *lb_context_root(const struct lb_context *ctx)
{
	return ctx->config.root;
}

void lb_context_set_log(struct lb_context *ctx, lb_log_fn fn, void *userdata)
{
	ctx->log = fn;
	ctx->log_data = userdata;
}

void lb_context_set_progress(struct lb_context *ctx, lb_progress_fn fn, void *userdata)
{
	ctx->progress = fn;
	ctx->progress_data = userdata;
}

const char *lb_error_name(int code)
{
	static const char *const names[] = {
		"bad-name", "bad-value",      "no-container", "exists",	    "running",	      "not-running", "no-base",
		"base-in-use", "bad-config",  "not-root",     "kernel",	    "network",	      "no-program",
		"program-failed", "runtime",  "busy",	      "timeout",    "exhausted",      "damaged",
		"no-network",
		"conflict",
		"unhealthy",
		"no-snapshot",
		"bad-stream",
		"base-differs",
		"no-repository",
	};
	const char *name;

	if (code >= 0)
		return code == 0 ? "ok" : "nothing-to-do";
	code = code < -INT_MAX ? INT_MAX : -code;
	if (code >= LB_ERR_BAD_NAME && code - LB_ERR_BAD_NAME < (int)(sizeof names / sizeof *names))
		return names[code - LB_ERR_BAD_NAME];
	name = strerrorname_np(code);
	return name ? name : "unknown";
}
