/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "resolved.h"

#include "../util/spawn.h"

enum { SETTINGS = 3 };

/* A setting of the interface: `resolvectl NAME INTERFACE` shows it, with a value behind it sets it. */
struct setting {
	const char *name, *value;
};

/*
 * Without the last, resolved would ask this server for every name in the world, whose own questions come back to
 * resolved: a circle.
 */
static void make_settings(const struct resolved_link *link, struct setting settings[SETTINGS])
{
	settings[0] = (struct setting){ "dns", link->server };
	settings[1] = (struct setting){ "domain", link->domain };
	settings[2] = (struct setting){ "default-route", "no" };
}

/* @value may be NULL: then it is only shown. */
static int run(struct lb_context *ctx, const char *interface, const char *name, const char *value, char **ret_output)
{
	const char *const argv[] = { "resolvectl", name, interface, value, NULL };
	const struct spawn_options options = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r = spawn_run(argv, &options, &status, &output);

	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM,
			    "resolvectl is not installed, which `host_names = resolved` needs; "
			    "`apt install systemd-resolved`, or set another in layerbox.conf");
	if (r < 0)
		return fail_errno(ctx, r, "cannot run resolvectl");
	if (status != 0)
		return fail(
			ctx, -LB_ERR_PROGRAM_FAILED,
			"resolvectl %s %s failed: %s; does systemd-resolved run? `systemctl status systemd-resolved`",
			name, interface, text_printable(text_trim(output)));
	*ret_output = TAKE_PTR(output);
	return 0;
}

/* What is shown is one line: "Link 5 (lxcbr0): lxc". */
static bool shows(char *output, const char *value)
{
	char *shown = strstr(output, "): ");

	return shown && text_equal(text_trim(shown + 3), value);
}

int resolved_has(struct lb_context *ctx, const struct resolved_link *link)
{
	struct setting settings[SETTINGS];

	make_settings(link, settings);
	for (size_t i = 0; i < SETTINGS; i++) {
		CLEANUP_FREE char *output = NULL;
		int r = run(ctx, link->interface, settings[i].name, NULL, &output);

		if (r < 0)
			return r;
		if (!shows(output, settings[i].value))
			return 0;
	}
	return 1;
}

int resolved_put(struct lb_context *ctx, const struct resolved_link *link)
{
	struct setting settings[SETTINGS];
	int r = resolved_has(ctx, link);

	make_settings(link, settings);
	for (size_t i = 0; r == 0 && i < SETTINGS; i++) {
		CLEANUP_FREE char *output = NULL;
		int s = run(ctx, link->interface, settings[i].name, settings[i].value, &output);

		if (s < 0)
			return s;
	}
	return r;
}
