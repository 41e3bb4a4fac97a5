/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall.h"

#include <fcntl.h>

#include "../adapters/nft.h"
#include "../core/store.h"
#include "../util/file.h"
#include "../util/template.h"

#define TEMPLATE "network.nft"

/* What was applied last, in RUNSTATEDIR, which a reboot empties together with the kernel's tables. */
#define APPLIED_FILE "network.nft"

enum { RULES_BYTES_MAX = 1 << 20 };

bool firewall_is_up(void)
{
	return nft_has_table(FIREWALL_TABLE);
}

static int render(struct lb_context *ctx, const struct network_plan *plan, char **ret_rules)
{
	const struct template_variable variables[] = {
		{ .name = "bridge", .value = plan->bridge },
		{ .name = "subnet", .value = ctx->config.subnet },
		{ 0 },
	};
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *path = NULL;
	char error[512];
	int r = store_read_data(ctx, STORE_TEMPLATES, TEMPLATE, &text, &path);

	if (r < 0)
		return r;
	r = template_render(text, path, variables, ret_rules, error, sizeof error);
	return r < 0 ? fail(ctx, r == -ENOMEM ? r : -LB_ERR_BAD_CONFIG, "%s", error) : 0;
}

/* Are these the rules that were applied last? */
static bool is_applied(const struct network_plan *plan, const char *rules)
{
	CLEANUP_FREE char *path = text_format("%s/" APPLIED_FILE, plan->run_directory);
	CLEANUP_FREE char *applied = NULL;

	return path && file_read(AT_FDCWD, path, RULES_BYTES_MAX, &applied, NULL) == 0 && text_equal(applied, rules);
}

int firewall_up(struct lb_context *ctx, const struct network_plan *plan)
{
	CLEANUP_FREE char *rules = NULL;
	CLEANUP_FREE char *path = text_format("%s/" APPLIED_FILE, plan->run_directory);
	int r = path ? render(ctx, plan, &rules) : fail_memory(ctx);

	if (r < 0)
		return r;
	if (firewall_is_up() && is_applied(plan, rules))
		return 1;
	r = nft_apply(ctx, rules);
	if (r < 0)
		return r;
	r = file_write(AT_FDCWD, path, rules, strlen(rules), 0644, FILE_LAZY);
	if (r < 0)
		return fail_errno(ctx, r, "cannot write %s", path);
	log_message(ctx, LB_LOG_INFO, "nftables has the table `inet " FIREWALL_TABLE "` for %s", plan->bridge);
	return 0;
}

int firewall_down(struct lb_context *ctx, const struct network_plan *plan)
{
	CLEANUP_FREE char *path = text_format("%s/" APPLIED_FILE, plan->run_directory);

	if (!path)
		return fail_memory(ctx);
	unlink(path);
	if (!firewall_is_up())
		return 1;
	return nft_apply(ctx, "delete table inet " FIREWALL_TABLE "\n");
}
