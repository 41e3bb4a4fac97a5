/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "render.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "../adapters/apparmor.h"
#include "../adapters/cgroup.h"
#include "../core/store.h"
#include "../network/plan.h"
#include "../network/port.h"
#include "../util/file.h"
#include "../util/template.h"
#include "../util/tree-copy.h"
#include "../util/tree.h"
#include "console-log.h"
#include "layout.h"
#include "uplink.h"

#define COMMON_CONFIG "common.conf"
#define LXCFS_HOOK "/usr/share/lxcfs/lxc.mount.hook"

enum { RENDERED_BYTES_MAX = 1 << 20, ROOTFS_DEPTH_MAX = 16 };

/* ---------------------------------------------------------------------- files that know who wrote them */

static const char first_line[] = "# Rendered by layerbox; changes made here are replaced. Checksum ";

static char *with_first_line(const char *body)
{
	return text_format("%s%016llx\n%s", first_line, (unsigned long long)text_hash(body), body);
}

/* Is the file what layerbox wrote, to the last byte? */
static bool is_as_rendered(const char *text)
{
	const char *sum = text_after(text, first_line), *body = strchr(text, '\n');
	char expected[32];

	if (!sum || !body)
		return false;
	snprintf(expected, sizeof expected, "%016llx", (unsigned long long)text_hash(body + 1));
	return text_after(sum, expected) != NULL;
}

static int write_rendered(struct lb_context *ctx, int dir_fd, const char *file, const char *body, mode_t mode,
			  const char *whose)
{
	CLEANUP_FREE char *text = with_first_line(body);
	CLEANUP_FREE char *present = NULL;
	CLEANUP_FREE char *kept = text_format("%s.edited", file);
	int r;

	if (!text || !kept)
		return fail_memory(ctx);
	r = file_read(dir_fd, file, RENDERED_BYTES_MAX, &present, NULL);
	if (r == 0 && text_equal(present, text))
		return 1;
	if (r == 0 && !is_as_rendered(present)) {
		log_message(ctx, LB_LOG_WARNING,
			    "the file %s of %s was changed by hand; what it held is kept as %s (lines of your own "
			    "belong "
			    "into " LAYOUT_LOCAL_CONFIG ")",
			    file, whose, kept);
		if (renameat(dir_fd, file, dir_fd, kept) < 0)
			return fail_errno(ctx, errno, "cannot keep the changed file %s of %s", file, whose);
	}
	r = file_write(dir_fd, file, text, strlen(text), mode, FILE_LAZY);
	if (r < 0)
		return fail_errno(ctx, r, "cannot write the file %s of %s", file, whose);
	return 0;
}

static int render(struct lb_context *ctx, const char *directory, const char *template,
		  const struct template_variable *variables, char **ret_text)
{
	CLEANUP_FREE char *source = NULL;
	CLEANUP_FREE char *path = NULL;
	char error[512];
	int r = store_read_data(ctx, directory, template, &source, &path);

	if (r < 0)
		return r;
	r = template_render(source, path, variables, ret_text, error, sizeof error);
	return r < 0 ? fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error) : 0;
}

/* -------------------------------------------------------------------------------------- LXC's config */

/* The lines that set the container's limits, for the controllers that this host has. */
static int limit_lines(struct lb_context *ctx, const char *name, const struct limits *limits, char **ret_lines)
{
	const uint64_t amounts[CGROUP_CONTROLLERS] = { limits->memory_bytes, limits->cpu_millis, limits->pids };
	CLEANUP_BUFFER struct buffer lines = { 0 };
	CLEANUP(cgroup_layout_free) struct cgroup_layout layout = { 0 };
	int r;

	if (amounts[CGROUP_MEMORY] || amounts[CGROUP_CPU] || amounts[CGROUP_PIDS]) {
		r = cgroup_layout_load(ctx, &layout);
		if (r < 0)
			return r;
	}
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		struct cgroup_item items[2];
		int n = amounts[i] ? cgroup_limit_items(&layout, i, amounts[i], items) : 0;

		if (amounts[i] && !n)
			log_message(ctx, LB_LOG_WARNING,
				    "container '%s' has a limit that this host cannot enforce: there is no cgroup "
				    "controller "
				    "`%s`",
				    name, cgroup_controller_name(i));
		for (int k = 0; k < n; k++)
			buffer_format(&lines, "%slxc.cgroup%s.%s = %s", lines.length ? "\n" : "",
				      items[k].version == 2 ? "2" : "", items[k].key, items[k].value);
	}
	*ret_lines = buffer_finish(&lines);
	return *ret_lines ? 0 : fail_memory(ctx);
}

static int render_common(struct lb_context *ctx)
{
	const struct template_variable variables[] = {
		{ .name = "libexecdir", .value = PKGLIBEXECDIR },
		{ .name = "apparmor_profile", .value = apparmor_container_profile(apparmor_get_state()) },
		{ .name = "lxcfs_hook", .value = access(LXCFS_HOOK, X_OK) == 0 ? LXCFS_HOOK : NULL },
		{ 0 },
	};
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FD int fd = -1;
	int r = render(ctx, STORE_TEMPLATES "/include", COMMON_CONFIG, variables, &text);

	if (r < 0)
		return r;
	fd = store_open_directory(ctx, STORE_INCLUDE);
	return fd < 0 ? fd : write_rendered(ctx, fd, COMMON_CONFIG, text, 0644, "all containers");
}

int render_config_text(struct lb_context *ctx, const char *name, const struct record *record,
		       const struct lb_base *base, bool has_local_config, char **ret_text)
{
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_FREE char *local = has_local_config ? text_format("%s/" LAYOUT_LOCAL_CONFIG, directory) : NULL;
	CLEANUP_FREE char *console_log = store_path(ctx, STORE_LOGS "/%s/" CONSOLE_LOG, name);
	CLEANUP_FREE char *limits = NULL;
	struct network_settings network;
	char id_start[16], id_count[16], mtu[16], port[PORT_NAME_SIZE];
	int r = limit_lines(ctx, name, &record->limits, &limits);

	if (r == 0)
		r = network_settings_load(ctx, record->identity.network, &network);
	if (r < 0)
		return r;
	if (!directory || !console_log || (has_local_config && !local))
		return fail_memory(ctx);
	snprintf(id_start, sizeof id_start, "%u", record->id_start);
	snprintf(id_count, sizeof id_count, "%u", record->id_count);
	snprintf(mtu, sizeof mtu, "%u", network.mtu);
	port_name(network.name, record->identity.mac, port);
	const struct template_variable variables[] = {
		{ .name = "name", .value = name },
		{ .name = "root", .value = ctx->config.root },
		{ .name = "directory", .value = directory },
		{ .name = "console_log", .value = console_log },
		{ .name = "local_config", .value = local },
		{ .name = "id_start", .value = id_start },
		{ .name = "id_count", .value = id_count },
		{ .name = "bridge", .value = network.name },
		{ .name = "mtu", .value = network.mtu ? mtu : NULL },
		{ .name = "mac", .value = record->identity.mac },
		{ .name = "port", .value = port },
		{ .name = "port_hook",
		  .value = uplink_needs_hook(ctx, record) ? PKGLIBEXECDIR "/layerbox-hook" : NULL },
		{ .name = "halt_signal", .value = base->record.halt_signal },
		{ .name = "reboot_signal", .value = base->record.reboot_signal },
		{ .name = "limits", .value = limits, .multi_line = 1 },
		{ 0 },
	};
	return render(ctx, STORE_TEMPLATES,
		      record->privileged ? "container-privileged.conf" : "container-unprivileged.conf", variables,
		      ret_text);
}

int render_config_on(struct lb_context *ctx, int directory_fd, const char *name, const struct record *record,
		     const struct lb_base *base)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *whose = text_format("container '%s'", name);
	int common = render_common(ctx), r;

	if (common < 0 || !whose)
		return common < 0 ? common : fail_memory(ctx);
	r = render_config_text(ctx, name, record, base, faccessat(directory_fd, LAYOUT_LOCAL_CONFIG, F_OK, 0) == 0,
			       &text);
	if (r < 0)
		return r;
	r = write_rendered(ctx, directory_fd, LAYOUT_CONFIG, text, 0600, whose);
	return r < 0 ? r : r && common;
}

int render_config(struct lb_context *ctx, int directory_fd, const char *name, const struct record *record)
{
	struct lb_base *base = NULL;
	int r = record_open_base(ctx, record, &base);

	if (r == 0)
		r = render_config_on(ctx, directory_fd, name, record, base);
	lb_base_free(base);
	return r;
}

/* ------------------------------------------------------------------- the files a top layer begins with */

int render_rootfs_values(struct lb_context *ctx, const char *name, const struct record *record,
			 const struct network_plan *network, struct rootfs_values *ret_values)
{
	unsigned char random[16];
	struct rootfs_values values = { .name = name, .ipv4 = record->identity.ipv4 };

	ipv4_format(network->subnet.gateway, values.gateway);
	snprintf(values.ipv4_length, sizeof values.ipv4_length, "%u", network->subnet.prefix);
	if (network->has_ipv6) {
		network_plan_ipv6(network, record->identity.ipv4, values.ipv6);
		ipv6_gateway(&network->ipv6, values.ipv6_gateway);
	}
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return fail_errno(ctx, errno, "cannot make a machine id");
	random[6] = (unsigned char)((random[6] & 0x0f) | 0x40); /* machine-id(5): a version 4 UUID */
	random[8] = (unsigned char)((random[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(values.machine_id + 2 * i, 3, "%02x", random[i]);
	*ret_values = values;
	return 0;
}

int render_rootfs_file(struct lb_context *ctx, const char *templates, const char *path,
		       const struct rootfs_values *values, char **ret_text)
{
	const struct template_variable variables[] = {
		{ .name = "name", .value = values->name },
		{ .name = "domain", .value = ctx->config.domain },
		{ .name = "gateway", .value = values->gateway },
		{ .name = "ipv4", .value = values->ipv4 },
		{ .name = "ipv4_length", .value = values->ipv4_length },
		{ .name = "ipv6", .value = values->ipv6 },
		{ .name = "ipv6_length", .value = *values->ipv6 ? "64" : "" },
		{ .name = "ipv6_gateway", .value = values->ipv6_gateway },
		{ .name = "machine_id", .value = values->machine_id },
		{ 0 },
	};

	return render(ctx, templates, path, variables, ret_text);
}

/* Adds the paths of all regular files below @fd (consumed) to @paths, without duplicates. */
static int find_templates(int fd, const char *prefix, int depth, struct text_list *paths)
{
	CLEANUP_DIR DIR *dir = take_dir(fd);
	struct dirent *entry;
	int r = 0;

	while (dir && r == 0 && (entry = readdir(dir))) {
		CLEANUP_FREE char *path = text_format("%s%s%s", prefix, *prefix ? "/" : "", entry->d_name);

		if (!path)
			return -ENOMEM;
		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		if (entry->d_type == DT_DIR && depth < ROOTFS_DEPTH_MAX)
			r = find_templates(openat(dirfd(dir), entry->d_name,
						  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
					   path, depth + 1, paths);
		else if (entry->d_type == DT_REG && !text_list_has(paths, path))
			r = text_list_add(paths, path);
	}
	return r;
}

/* One that the base has hides the base's in all but what is in it. */
static int render_directory(int top_fd, int base_fd, const char *directory)
{
	CLEANUP_FD int base_dir_fd = openat(base_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (mkdirat(top_fd, directory, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (base_dir_fd < 0)
		return fchmodat(top_fd, directory, 0755, 0) < 0 ? -errno : 0;
	return fstat(base_dir_fd, &st) < 0 ? -errno : tree_copy_attributes(base_dir_fd, top_fd, directory, &st);
}

int render_parents(int top_fd, int base_fd, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		CLEANUP_FREE char *directory = strndup(path, (size_t)(slash - path));
		struct stat st = { .st_mode = S_IFDIR };
		int r;

		if (!directory)
			return -ENOMEM;
		if (fstatat(base_fd, directory, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return -errno;
		if (!S_ISDIR(st.st_mode))
			return 1;
		r = render_directory(top_fd, base_fd, directory);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Is the directory of @path in the base? Parts of it that are links count as none, as in render_parents(). */
static bool base_has_directory_of(int base_fd, const char *path)
{
	CLEANUP_FREE char *directory = strdup(path);
	struct stat st;

	for (char *slash = directory ? strchr(directory, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (fstatat(base_fd, directory, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			return false;
		*slash = '/';
	}
	return directory != NULL;
}

static int render_one(struct lb_context *ctx, int top_fd, int base_fd, const char *templates, const char *path,
		      const struct rootfs_values *values, int *ret_fd)
{
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	int r;

	if (fstatat(base_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return 1;
	if (text_equal(templates, TEMPLATES_STATIC) && !base_has_directory_of(base_fd, path))
		return 1;
	r = render_parents(top_fd, base_fd, path);
	if (r > 0)
		return 1;
	if (r == 0) {
		r = render_rootfs_file(ctx, templates, path, values, &text);
		if (r < 0)
			return r;
		r = file_create(top_fd, path, text, strlen(text), 0644, ret_fd);
	}
	return r < 0 ? fail_errno(ctx, r, "cannot write /%s of container '%s'", path, values->name) : 0;
}

int render_rootfs_list(struct lb_context *ctx, const char *templates, struct text_list *ret_paths)
{
	CLEANUP_FREE char *own = store_path(ctx, "%s", templates);
	CLEANUP_FREE char *installed = text_format(PKGDATADIR "/%s", templates);
	int r = own && installed ? 0 : -ENOMEM;

	if (r == 0)
		r = find_templates(open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "", 0, ret_paths);
	if (r == 0)
		r = find_templates(open(installed, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "", 0, ret_paths);
	return r < 0 ? fail_memory(ctx) : 0;
}

/* Renders all of @templates. */
static int render_tree(struct lb_context *ctx, int top_fd, int base_fd, const char *templates,
		       const struct rootfs_values *values, int **fds, size_t *count)
{
	CLEANUP_TEXT_LIST struct text_list paths = { 0 };
	int *larger, r = render_rootfs_list(ctx, templates, &paths);

	if (r < 0)
		return r;
	larger = reallocarray(*fds, *count + paths.count + 1, sizeof *larger);
	if (!larger)
		return fail_memory(ctx);
	*fds = larger;
	for (size_t i = 0; i < paths.count; i++) {
		int fd = -1;

		r = render_one(ctx, top_fd, base_fd, templates, paths.items[i], values, &fd);
		if (r < 0)
			return r;
		if (r == 0)
			(*fds)[(*count)++] = fd;
	}
	return 0;
}

int render_rootfs(struct lb_context *ctx, int top_fd, int base_fd, const struct rootfs_values *values, bool is_static,
		  int **fds, size_t *count)
{
	int r = render_tree(ctx, top_fd, base_fd, TEMPLATES_ROOTFS, values, fds, count);
	size_t before = *count;

	if (r < 0 || !is_static)
		return r;
	r = render_tree(ctx, top_fd, base_fd, TEMPLATES_STATIC, values, fds, count);
	if (r == 0 && *count == before)
		return fail(
			ctx, -LB_ERR_BAD_VALUE,
			"on this base there can be no static address: it has no directory that one of the files below "
			"templates/rootfs-static goes to (/etc/systemd/network for systemd-networkd); give it one, or "
			"put a file for it into %s/" TEMPLATES_STATIC,
			ctx->config.root);
	return r;
}
