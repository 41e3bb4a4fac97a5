/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "../adapters/runtime.h"
#include "../core/environment.h"
#include "../util/spawn.h"
#include "connection.h"
#include "target.h"

enum { TIMEOUT_DEFAULT_S = 10 };

bool health_has_check(const struct record *record)
{
	const struct health_settings *health = &record->health;

	return !text_empty(health->command) || !text_empty(health->tcp) || !text_empty(health->http);
}

unsigned health_timeout(const struct record *record)
{
	return record->health.timeout_s ? (unsigned)record->health.timeout_s : TIMEOUT_DEFAULT_S;
}

static unsigned timeout_of(const struct lb_container *container)
{
	return health_timeout(&container->record);
}

/* Only a container that runs can be asked how it is. */
static int require_running(struct lb_context *ctx, struct lb_container *container)
{
	int r = container_ask(container);

	if (r < 0)
		return r;
	if (container->live.state == LB_STATE_RUNNING && container->live.pid)
		return 0;
	return fail(ctx, -LB_ERR_NOT_RUNNING, "container '%s' is %s: nothing can be checked",
		    container->name, lb_state_name(container->live.state));
}

/* ---- programs ---- */

/* As container_exec_shortly(): for a program of the host, which is told whom it is to look at. */
static int run_on_host(struct lb_container *container, const char *const *argv, int *ret_status, char **ret_output)
{
	struct spawn_options options = {
		.timeout_s = timeout_of(container), .own_session = true, .slow_output = true
	};
	CLEANUP_TEXT_LIST struct text_list env = { 0 };
	int r = environment_begin(&env);

	if (r == 0)
		r = text_list_format(&env, "LAYERBOX_CONTAINER=%s", container->name);
	if (r == 0)
		r = text_list_format(&env, "LAYERBOX_IPV4=%s", container->ipv4);
	if (r < 0)
		return fail_memory(container->ctx);
	options.env = (const char *const *)env.items;
	r = spawn_run(argv, &options, ret_status, ret_output);
	return r == 0 || r == -ETIMEDOUT
		       ? r
		       : fail_errno(container->ctx, r, "container '%s': cannot run the check %s of the host",
				    container->name, argv[0]);
}

/* Programs end with that status, too: podman(1) and timeout(1) do. What the helper says has its name before it. */
static bool was_not_entered(int status, char *output)
{
	return status == RUNTIME_NOT_ENTERED && text_after(text_last_line(output), "layerbox: ");
}

/*
 * A program may say that it was out of time of another one, by timeout(1). What could not be run for want of the host's
 * memory is not the container's fault; what ended meanwhile could not be entered for that reason.
 */
static int run_inside(struct lb_container *container, const char *const *argv, int *ret_status, char **ret_output)
{
	int r = container_exec_shortly(container, argv, timeout_of(container), ret_status, ret_output);

	if (r < 0 || !was_not_entered(*ret_status, *ret_output))
		return r == 0 && *ret_status == RUNTIME_TIMED_OUT ? -ETIMEDOUT : r;
	r = require_running(container->ctx, container);
	if (r < 0)
		return r;
	return fail(container->ctx, -LB_ERR_RUNTIME, "container '%s': cannot run the check %s inside: %s",
		    container->name, argv[0], text_after(text_last_line(*ret_output), "layerbox: "));
}

static int check_command(struct lb_container *container, char *ret_why, size_t size)
{
	const char *command = container->record.health.command;
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	CLEANUP_FREE char *output = NULL;
	struct health_target target;
	const char *said;
	int status = 0, r;

	if (text_empty(command))
		return 0;
	if (health_command_parse(command, &target))
		return fail(container->ctx, -LB_ERR_BAD_VALUE, "container '%s': health.command=%s is no program",
			    container->name, command);
	if (text_list_add_words(&words, target.rest) < 0)
		return fail_memory(container->ctx);
	r = (target.inside ? run_inside : run_on_host)(container, (const char *const *)words.items, &status, &output);
	if (r == -ETIMEDOUT) {
		snprintf(ret_why, size, "`%.200s` did not end in time", target.rest);
		return 1;
	}
	if (r < 0 || status == 0)
		return r;
	said = text_last_line(output);
	snprintf(ret_why, size, "`%.200s` ended with status %d%s%s", target.rest, status, *said ? ": " : "", said);
	return 1;
}

/* ---- connections ---- */

static struct health_peer peer_of(const struct lb_container *container, const struct health_target *target)
{
	return (struct health_peer){
		.inside = target->inside ? container->live.pid : 0,
		.ipv4 = container->ipv4,
		.port = target->port,
		.timeout_s = timeout_of(container),
	};
}

static int host_failed(struct lb_container *container, int error, const char *key, const char *value)
{
	int r = require_running(container->ctx, container);

	/* One that has just ended has no namespaces any more. */
	if (r < 0)
		return r;
	return fail_errno(container->ctx, error, "container '%s': cannot check %s=%s", container->name, key, value);
}

static int check_tcp(struct lb_container *container, char *ret_why, size_t size)
{
	const char *tcp = container->record.health.tcp;
	struct health_target target;
	struct health_peer peer;
	int r;

	if (text_empty(tcp))
		return 0;
	if (health_tcp_parse(tcp, &target))
		return fail(container->ctx, -LB_ERR_BAD_VALUE, "container '%s': health.tcp=%s is no port",
			    container->name, tcp);
	peer = peer_of(container, &target);
	r = health_connect(&peer, ret_why, size);
	return r < 0 ? host_failed(container, r, "health.tcp", tcp) : r;
}

static int check_http(struct lb_container *container, char *ret_why, size_t size)
{
	const char *http = container->record.health.http;
	struct health_target target;
	struct health_peer peer;
	int r;

	if (text_empty(http))
		return 0;
	if (health_http_parse(http, &target))
		return fail(container->ctx, -LB_ERR_BAD_VALUE, "container '%s': health.http=%s is no port and path",
			    container->name, http);
	peer = peer_of(container, &target);
	r = health_get(&peer, target.rest, ret_why, size);
	return r < 0 ? host_failed(container, r, "health.http", http) : r;
}

int health_check(struct lb_context *ctx, struct lb_container *container, char *ret_why, size_t size)
{
	static int (*const checks[])(struct lb_container *, char *, size_t) = { check_tcp, check_http, check_command };
	char why[HEALTH_WHY_SIZE] = "";
	int r;

	if (!health_has_check(&container->record))
		return 0;
	r = require_running(ctx, container);
	for (size_t i = 0; r == 0 && i < sizeof checks / sizeof *checks; i++)
		r = checks[i](container, why, sizeof why);
	if (r <= 0)
		return r;
	/* One that was frozen or stopped in the midst of it did not answer for that reason. */
	r = require_running(ctx, container);
	if (r < 0)
		return r;
	snprintf(ret_why, size, "%s", text_printable(why));
	return 1;
}
