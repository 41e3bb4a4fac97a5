/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <limits.h>

#include "../../liblayerbox/core/context.h"

static void test_sizes(void **state)
{
	struct {
		struct lb_context_options options;
		char later[24];
	} grown = { .options = { .config_file = "empty.conf" } };
	struct lb_context *ctx = NULL;

	(void)state;
	put_file("empty.conf", "");
	assert_int_equal(lb_context_new(&grown.options, &ctx), -EINVAL); /* size forgotten */
	assert_contains(lb_context_error(ctx), "struct lb_context_options has a size of 0 bytes");
	lb_context_free(ctx);
	grown.options.size = sizeof grown.options - 1;
	assert_int_equal(lb_context_new(&grown.options, &ctx), -EINVAL);
	lb_context_free(ctx);
	grown.options.size = sizeof grown;
	assert_int_equal(lb_context_new(&grown.options, &ctx), 0);
	lb_context_free(ctx);
	grown.later[23] = 1;
	assert_int_equal(lb_context_new(&grown.options, &ctx), -EINVAL);
	assert_contains(lb_context_error(ctx), "update liblayerbox");
	lb_context_free(ctx);
	grown.options.size = sizeof grown.options;
	assert_int_equal(lb_context_new(&grown.options, &ctx), 0);
	assert_string_equal(lb_context_error(ctx), "");
	lb_context_free(ctx);
	lb_context_free(NULL);
}

static void test_failures(void **state)
{
	struct lb_context ctx = { 0 };

	(void)state;
	assert_int_equal(fail(&ctx, -LB_ERR_RUNNING, "container '%s' is running", "tiger"), -LB_ERR_RUNNING);
	assert_string_equal(lb_context_error(&ctx), "container 'tiger' is running");
	assert_int_equal(fail_errno(&ctx, ENOSPC, "cannot write %s", "f"), -ENOSPC);
	assert_string_equal(ctx.error, "cannot write f: No space left on device");
	assert_int_equal(fail_errno(&ctx, -EACCES, "cannot write"), -EACCES);
	assert_string_equal(ctx.error, "cannot write: Permission denied");
	assert_int_equal(fail_wrap(&ctx, -EACCES, "container '%s'", "a"), -EACCES);
	assert_string_equal(ctx.error, "container 'a': cannot write: Permission denied");
	assert_int_equal(fail_memory(&ctx), -ENOMEM);
	assert_string_equal(lb_context_error(NULL), "out of memory");
}

static void test_long_failures(void **state)
{
	struct lb_context ctx = { 0 };
	static char big[3 * ERROR_MAX];

	(void)state;
	memset(big, 'x', sizeof big - 1);
	fail_errno(&ctx, EACCES, "%s", big);
	assert_int_equal(strlen(ctx.error), ERROR_MAX - 1);
	fail_wrap(&ctx, -1, "%s", big);
	assert_true(strlen(ctx.error) < ERROR_MAX);
	fail_wrap(&ctx, -1, "100%% of %s", "it");
	assert_int_equal(strncmp(ctx.error, "100% of it: xxx", 15), 0);
}

static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	snprintf(userdata, 64, "%d %s", (int)level, message);
}

static void on_progress(const char *step, int percent, void *userdata)
{
	snprintf(userdata, 64, "%s %d", step, percent);
}

static void test_callbacks(void **state)
{
	struct lb_context ctx = { 0 };
	char seen[64] = "";

	(void)state;
	log_message(&ctx, LB_LOG_INFO, "to nobody");
	progress(&ctx, 1, "to nobody");
	lb_context_set_log(&ctx, on_log, seen);
	log_message(&ctx, LB_LOG_WARNING, "it is %s", "odd");
	assert_string_equal(seen, "4 it is odd");
	lb_context_set_progress(&ctx, on_progress, seen);
	progress(&ctx, -1, "installing %d", 3);
	assert_string_equal(seen, "installing 3 -1");
	lb_context_set_log(&ctx, NULL, NULL);
	log_message(&ctx, LB_LOG_WARNING, "to nobody");
	assert_string_equal(seen, "installing 3 -1");
}

static void test_error_names(void **state)
{
	(void)state;
	assert_string_equal(lb_error_name(0), "ok");
	assert_string_equal(lb_error_name(1), "nothing-to-do");
	assert_string_equal(lb_error_name(-ENOSPC), "ENOSPC");
	assert_string_equal(lb_error_name(-LB_ERR_BAD_NAME), "bad-name");
	assert_string_equal(lb_error_name(-LB_ERR_NO_BASE), "no-base");
	assert_string_equal(lb_error_name(-LB_ERR_NETWORK), "network");
	assert_string_equal(lb_error_name(-LB_ERR_DAMAGED), "damaged");
	assert_string_equal(lb_error_name(-LB_ERR_NO_NETWORK), "no-network");
	assert_string_equal(lb_error_name(-LB_ERR_UNHEALTHY), "unhealthy");
	assert_string_equal(lb_error_name(-LB_ERR_NO_REPOSITORY), "no-repository");
	assert_string_equal(lb_error_name(-LB_ERR_NO_REPOSITORY - 1), "unknown");
	assert_string_equal(lb_error_name(-4999), "unknown");
	assert_string_equal(lb_error_name(INT_MIN), "unknown");
	assert_string_equal(lb_version(), LAYERBOX_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	     cmocka_unit_test(test_failures),
		cmocka_unit_test(test_long_failures), cmocka_unit_test(test_callbacks),
		cmocka_unit_test(test_error_names),
	};

	return cmocka_run_group_tests_name("context", tests, scratch_enter, scratch_leave);
}
