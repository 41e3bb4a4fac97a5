/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running programs inside a running container. */
#include <fcntl.h>
#include <stdio.h>

#include "../adapters/rights.h"
#include "../adapters/runtime.h"
#include "../core/store.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "container.h"

enum { PASSWD_BYTES_MAX = 1 << 20 };

static int require_running(struct lb_container *container)
{
	struct lb_context *ctx = container->ctx;
	int r = rights_require_root(ctx);

	if (r == 0)
		r = container_ask(container);
	if (r < 0)
		return r;
	if (container->live.state == LB_STATE_FROZEN)
		return fail(ctx, -LB_ERR_NOT_RUNNING, "container '%s' is frozen; let it run on with `layerbox thaw %s`",
			    container->name, container->name);
	if (container->live.state != LB_STATE_RUNNING)
		return fail(ctx, -LB_ERR_NOT_RUNNING, "container '%s' is %s; start it with `layerbox start %s`",
			    container->name, lb_state_name(container->live.state), container->name);
	return 0;
}

static bool env_has(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return true;
	return false;
}

/* The program's whole environment: what the caller gives, and what every program expects. */
static int add_environment(struct text_list *arguments, const char *const *env)
{
	const char *term = getenv("TERM");
	int r = 0;

	for (const char *const *given = env; r == 0 && given && *given; given++)
		r = text_list_add(arguments, *given);
	if (r == 0 && !env_has(env, "PATH"))
		r = text_list_add(arguments, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (r == 0 && !env_has(env, "HOME"))
		r = text_list_add(arguments, "HOME=/root");
	if (r == 0 && !env_has(env, "TERM"))
		r = text_list_format(arguments, "TERM=%s", text_empty(term) ? "dumb" : term);
	if (r == 0 && !env_has(env, "container"))
		r = text_list_add(arguments, "container=lxc");
	return r;
}

/* How the program is run: without a terminal, with one, or without one and ended when the helper ends. */
#define ALONE "0"
#define WITH_TERMINAL "1"
#define WITH_HELPER "2"

/* What follows the helper's name. */
static int make_arguments(struct lb_container *container, const char *const *argv,
			  const struct lb_exec_options *options, const char *how, struct text_list *arguments)
{
	CLEANUP_FREE char *lxcpath = store_path(container->ctx, STORE_CONTAINERS);
	int r = lxcpath ? text_list_add(arguments, "exec") : -ENOMEM;

	if (r == 0)
		r = text_list_add(arguments, lxcpath);
	if (r == 0)
		r = text_list_add(arguments, container->name);
	if (r == 0)
		r = text_list_format(arguments, "%u", options ? options->uid : 0);
	if (r == 0)
		r = text_list_format(arguments, "%u", options ? options->gid : 0);
	if (r == 0)
		r = text_list_add(arguments, options && options->cwd ? options->cwd : "/");
	if (r == 0)
		r = text_list_add(arguments, how);
	if (r == 0)
		r = add_environment(arguments, options ? options->env : NULL);
	if (r == 0)
		r = text_list_add(arguments, "--");
	for (; r == 0 && *argv; argv++)
		r = text_list_add(arguments, *argv);
	return r < 0 ? fail_memory(container->ctx) : 0;
}

int lb_container_exec(struct lb_container *container, const char *const *argv, const struct lb_exec_options *options,
		      int *ret_status)
{
	struct lb_context *ctx = container->ctx;
	CLEANUP_TEXT_LIST struct text_list arguments = { 0 };
	int fds[3], r = CHECK_INPUT(ctx, options, lb_exec_options);

	if (r < 0)
		return r;
	if (!argv || !argv[0])
		return fail(ctx, -EINVAL, "there is no program to run");
	r = require_running(container);
	if (r == 0)
		r = make_arguments(container, argv, options, options && options->tty ? WITH_TERMINAL : ALONE,
				   &arguments);
	if (r < 0)
		return r;
	if (options && options->use_fds)
		memcpy(fds, (int[]){ options->stdin_fd, options->stdout_fd, options->stderr_fd }, sizeof fds);
	return runtime_attach(ctx, (const char *const *)arguments.items, options && options->use_fds ? fds : NULL,
			      ret_status);
}

int container_exec_shortly(struct lb_container *container, const char *const *argv, unsigned timeout_s, int *ret_status,
			   char **ret_output)
{
	CLEANUP_TEXT_LIST struct text_list arguments = { 0 };
	int r = require_running(container);

	if (r == 0)
		r = make_arguments(container, argv, NULL, WITH_HELPER, &arguments);
	return r < 0 ? r
		     : runtime_ask(container->ctx, (const char *const *)arguments.items, timeout_s, ret_status,
				   ret_output);
}

int container_listen(struct lb_container *container, const char *const *argv, int end_fd, unsigned silence_s,
		     spawn_line_fn fn, void *userdata, int *ret_status)
{
	CLEANUP_TEXT_LIST struct text_list arguments = { 0 };
	int r = require_running(container);

	if (r == 0)
		r = make_arguments(container, argv, NULL, WITH_HELPER, &arguments);
	return r < 0 ? r
		     : runtime_listen(container->ctx, (const char *const *)arguments.items, end_fd, silence_s, fn,
				      userdata, ret_status);
}

struct account {
	uid_t uid;
	gid_t gid;
	const char *home, *shell;
};

/* Finds @user in the text of a passwd(5) file, which is the container's and may hold anything. */
static bool find_account(char *passwd, const char *user, struct account *ret_account)
{
	char *save = NULL;

	for (char *line = strtok_r(passwd, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *fields[7], *rest = line;
		uint64_t uid, gid;
		size_t n = 0;

		while (n < 7 && rest)
			fields[n++] = strsep(&rest, ":");
		if (n < 7 || !text_equal(fields[0], user) || !text_to_number(fields[2], 0, UINT32_MAX, &uid) ||
		    !text_to_number(fields[3], 0, UINT32_MAX, &gid))
			continue;
		*ret_account =
			(struct account){ (uid_t)uid, (gid_t)gid, fields[5], *fields[6] ? fields[6] : "/bin/sh" };
		return true;
	}
	return false;
}

int lb_container_shell(struct lb_container *container, const char *user, int *ret_status)
{
	struct lb_context *ctx = container->ctx;
	CLEANUP_FREE char *passwd = NULL;
	CLEANUP_FREE char *home = NULL;
	CLEANUP_FREE char *user_env = NULL;
	CLEANUP_FD int root_fd = -1;
	CLEANUP_FD int etc_fd = -1;
	struct account account;
	char path[64];
	const char *file;
	bool known;
	int r = require_running(container);

	if (r < 0)
		return r;
	user = user ? user : "root";
	snprintf(path, sizeof path, "/proc/%d/root", container->live.pid);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	etc_fd = root_fd < 0 ? -errno : tree_open_parent_in_root(root_fd, "etc/passwd", &file);
	r = etc_fd < 0 ? etc_fd : file_read(etc_fd, file, PASSWD_BYTES_MAX, &passwd, NULL);
	known = r == 0 && find_account(passwd, user, &account);
	if (!known && !text_equal(user, "root"))
		return fail(ctx, -LB_ERR_BAD_VALUE, "container '%s' has no user '%s'", container->name, user);
	if (!known)
		account = (struct account){ .home = "/root", .shell = "/bin/sh" };
	home = text_format("HOME=%s", account.home);
	user_env = text_format("USER=%s", user);
	if (!home || !user_env)
		return fail_memory(ctx);
	return lb_container_exec(container, (const char *const[]){ account.shell, "-l", NULL },
				 &(struct lb_exec_options){
					 .size = sizeof(struct lb_exec_options),
					 .env = (const char *const[]){ home, user_env, NULL },
					 .cwd = account.home,
					 .uid = account.uid,
					 .gid = account.gid,
					 .tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
				 },
				 ret_status);
}

int lb_container_console(struct lb_container *container)
{
	struct lb_context *ctx = container->ctx;
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	int status, r = require_running(container);

	if (r < 0)
		return r;
	if (!lxcpath)
		return fail_memory(ctx);
	r = runtime_attach(ctx, (const char *const[]){ "console", lxcpath, container->name, NULL }, NULL, &status);
	if (r == 0 && status != 0)
		return fail(ctx, -LB_ERR_RUNTIME, "the console of container '%s' could not be opened", container->name);
	return r;
}
