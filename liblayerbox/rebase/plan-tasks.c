/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What packages' scripts would have done, had the packages been upgraded in the container itself: files that are made
 * from others, triggers, alternatives. Programs of the container's own do it, after the switch; see finish.h.
 */
#include <fcntl.h>

#include "plan.h"

#define TRIGGERS "var/lib/dpkg/triggers/File"
#define CHECK "/usr/bin/apt-get -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= check"
#define POSTINST "var/lib/dpkg/info/%s.postinst"

enum { SCRIPT_BYTES_MAX = 1 << 20, TRIGGERS_BYTES_MAX = 1 << 20 };

static void add_command(struct planning *planning, const char *words)
{
	if (!text_list_has(&planning->rebase->commands, words) && text_list_add(&planning->rebase->commands, words) < 0)
		planning->rebase->report.failed = true;
}

/* ---- files that are made from others ---- */

/* What the program needs is in the tree that the container will see. */
static bool is_there(const struct planning *planning, const char *words)
{
	CLEANUP_FREE char *program = strndup(words, strcspn(words, " "));
	char buffer[OWNERSHIP_PATH_SIZE];
	const char *place = program ? ownership_resolve(&planning->ownership, program, buffer) : NULL;
	CLEANUP_FD int fd = place ? view_open(&planning->views.own, place, 0) : -1;

	return fd >= 0;
}

/* Whether there is a need to make it anew: not where the top layer has it as a base has. */
static int is_as_in_bases(const struct planning *planning, const char *path)
{
	const struct view top = { .base_fd = planning->top_fd, .top_fd = -1 };
	const char *name;
	CLEANUP_FD int own_fd = view_open_base_parent(&top, path, &name);
	CLEANUP_FD int old_fd = view_open_base_parent(&planning->views.old, path, &name);
	CLEANUP_FD int new_fd = view_open_base_parent(&planning->views.new, path, &name);
	struct entry old, new, own;
	int r = entry_look(old_fd < 0 ? -1 : old_fd, name, &old);

	if (r == 0)
		r = entry_look(new_fd < 0 ? -1 : new_fd, name, &new);
	if (r == 0)
		r = entry_look(own_fd < 0 ? -1 : own_fd, name, &own);
	if (r == 0)
		r = entry_same(&own, &old);
	if (r == 0)
		r = entry_same(&own, &new);
	return r || planning->packages.count ? r : !old.there && !new.there ? 1 : entry_same(&old, &new);
}

int plan_made_files(struct planning *planning)
{
	static const struct {
		const char *path, *program;
	} made[] = {
		{ "etc/ld.so.cache", "/sbin/ldconfig" },
		{ "etc/ssl/certs/ca-certificates.crt", "/usr/sbin/update-ca-certificates" },
		{ "usr/lib/locale/locale-archive", "/usr/sbin/locale-gen" },
		{ "usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache", "/usr/sbin/iconvconfig" },
		{ "usr/lib/aarch64-linux-gnu/gconv/gconv-modules.cache", "/usr/sbin/iconvconfig" },
		{ "usr/share/mime/mime.cache", "/usr/bin/update-mime-database /usr/share/mime" },
		{ "usr/share/glib-2.0/schemas/gschemas.compiled",
		  "/usr/bin/glib-compile-schemas /usr/share/glib-2.0/schemas" },
		{ "var/cache/man/index.db", "/usr/bin/mandb --quiet" },
		{ "var/lib/systemd/catalog/database", "/usr/bin/journalctl --update-catalog" },
		{ "usr/lib/udev/hwdb.bin", "/usr/bin/systemd-hwdb --usr update" },
		{ "etc/udev/hwdb.bin", "/usr/bin/systemd-hwdb update" },
	};
	/*
	 * Caches that their programs make anew, copies that nobody compares, and what makes the container one of its
	 * own.
	 */
	static const char *const dropped[] = { "var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin",
					       "var/cache/ldconfig/aux-cache" };
	static const char *const left_alone[] = { "etc/passwd-",
						  "etc/shadow-",
						  "etc/group-",
						  "etc/gshadow-",
						  "etc/subuid-",
						  "etc/subgid-",
						  "etc/.pwd.lock",
						  "var/lib/dpkg/lock",
						  "var/lib/dpkg/lock-frontend",
						  "var/lib/dpkg/status-old",
						  "var/lib/dpkg/diversions-old",
						  "var/lib/dpkg/statoverride-old",
						  "var/cache/debconf/config.dat-old",
						  "var/cache/debconf/templates.dat-old",
						  "etc/hostname",
						  "etc/hosts",
						  "etc/machine-id",
						  "etc/resolv.conf" };
	const struct view top = { .base_fd = planning->top_fd, .top_fd = -1 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof made / sizeof *made; i++) {
		CLEANUP_FD int fd = view_open(&top, made[i].path, 0);
		CLEANUP_FREE char *subject = NULL;
		int same = fd < 0 ? 1 : is_as_in_bases(planning, made[i].path);

		if (same < 0)
			return fail_errno(planning->ctx, same, "cannot compare /%s of both bases", made[i].path);
		if (same || fd < 0 || !is_there(planning, made[i].program))
			continue;
		subject = text_format("/%s", made[i].path);
		report_add(&planning->rebase->report, LB_REBASE_TASK, LB_REBASE_DONE, subject ? subject : "",
			   "made anew by %s, since both sides have what it is made from", made[i].program);
		add_command(planning, made[i].program);
		r = text_list_add(&planning->handled, made[i].path);
	}
	for (size_t i = 0; r == 0 && i < sizeof dropped / sizeof *dropped; i++) {
		CLEANUP_FD int fd = view_open(&top, dropped[i], 0);

		if (fd >= 0)
			changes_add(&planning->rebase->changes, CHANGE_DROP, dropped[i]);
		r = text_list_add(&planning->handled, dropped[i]);
	}
	for (size_t i = 0; r == 0 && i < sizeof left_alone / sizeof *left_alone; i++)
		r = text_list_add(&planning->handled, left_alone[i]);
	text_list_sort(&planning->handled);
	return r < 0 ? fail_memory(planning->ctx) : 0;
}

/* ---- triggers ---- */

static bool is_changed_by_base(const struct owned_path *owned)
{
	const struct package_decision *package = owned->package;

	return package->side == PACKAGE_BASE && (owned->in_old || owned->in_new) &&
	       !(package->before && package->after && text_equal(package->before, package->after));
}

static bool is_of_container(const struct owned_path *owned)
{
	return owned->package->side == PACKAGE_TOP && owned->in_own;
}

/* Files below @path went with the base, and, with @own, the container has files there. */
struct watched {
	const char *path;
	bool base, own;
};

/*
 * @package is interested in files below a path. The base's own was triggered when the base was upgraded, and has to see
 * again only where the container has files there as well; one of the container's has seen nothing of it.
 */
static void activate(struct planning *planning, const struct watched *watched, const char *package)
{
	const struct package_decision *interested = package_merge_find(&planning->packages, package);
	CLEANUP_FREE char *words = NULL;

	if (!watched->base || (!watched->own && (!interested || interested->side != PACKAGE_TOP)))
		return;
	words = text_format("/usr/bin/dpkg-trigger --no-await --by-package=dpkg %s", watched->path);
	if (!words || strpbrk(watched->path, " \t"))
		return;
	add_command(planning, words);
	planning->dpkg_pending = true;
	report_add(&planning->rebase->report, LB_REBASE_TASK, LB_REBASE_DONE, watched->path,
		   "what changed below it triggers %s", package);
}

/* Lines of PATH PACKAGE, with /noawait behind some, sorted, each path with one slash in front. */
static int read_triggers(const struct view *view, struct text_list *lines)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;
	int r = 0;

	if (view_read(view, TRIGGERS, TRIGGERS_BYTES_MAX, &text) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &save); r == 0 && line; line = strtok_r(NULL, "\n", &save)) {
		char *space = strchr(line, ' ');

		line += strspn(line, "/");
		if (space && space > line && line[-1] == '/')
			r = text_list_format(lines, "/%.*s", (int)(space + 1 + strcspn(space + 1, "/") - line), line);
	}
	text_list_sort(lines);
	return r;
}

static void activate_all(struct planning *planning, const struct view *view)
{
	CLEANUP_TEXT_LIST struct text_list lines = { 0 };
	struct watched watched = { .path = "" };

	if (read_triggers(view, &lines) < 0)
		planning->rebase->report.failed = true;
	for (size_t i = 0; i < lines.count; i++) {
		char *line = lines.items[i], *space = strchr(line, ' ');

		*space = '\0';
		/* Looked up once for each path, since anybody can be interested, and more than once. */
		if (!text_equal(line, watched.path))
			watched = (struct watched){
				.path = line,
				.base = ownership_any_below(&planning->ownership, line, is_changed_by_base),
				.own = ownership_any_below(&planning->ownership, line, is_of_container),
			};
		activate(planning, &watched, space + 1);
	}
}

/* ---- what the scripts of changed packages do ---- */

static void explain_script(struct planning *planning, const struct package_decision *package, const char *script)
{
	static const struct {
		const char *needle, *text;
	} known[] = {
		{ "ldconfig", "the cache of libraries is the base's, or made anew" },
		{ "deb-systemd-helper", "units are enabled as in the base, unless the container said otherwise" },
		{ "systemd-sysusers", "accounts are merged" },
		{ "adduser", "accounts are merged" },
		{ "useradd", "accounts are merged" },
		{ "update-alternatives", "alternatives are merged" },
		{ "dpkg-divert", "diversions are merged" },
		{ "debconf/confmodule", "debconf's answers are merged" },
		{ "update-ca-certificates", "certificates are the base's, or made anew" },
		{ "py3compile", "byte code comes with the base" },
		{ "invoke-rc.d", "services begin anew with the container" },
		{ "deb-systemd-invoke", "services begin anew with the container" },
	};
	static const char *const about_data[] = { "upgradecluster", "mysql_upgrade", "mariadb-upgrade", "slapcat",
						  "dbconfig" };
	CLEANUP_BUFFER struct buffer text = { 0 };
	const char *last = "";

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!strstr(script, known[i].needle) || text_equal(last, known[i].text))
			continue;
		buffer_format(&text, "%s%s", text.length ? "; " : "", known[i].text);
		last = known[i].text;
	}
	if (text.length)
		report_add(&planning->rebase->report, LB_REBASE_TASK, LB_REBASE_DONE, package->name, "%s", text.data);
	for (size_t i = 0; i < sizeof about_data / sizeof *about_data; i++)
		if (strstr(script, about_data[i])) {
			report_add(&planning->rebase->report, LB_REBASE_TASK, LB_REBASE_REPORTED, package->name,
				   "its script may convert data (%s), which was not run on the container's: look "
				   "whether it "
				   "has to be",
				   about_data[i]);
			break;
		}
}

static void explain_scripts(struct planning *planning)
{
	for (size_t i = 0; i < planning->packages.count; i++) {
		const struct package_decision *package = &planning->packages.decisions[i];
		CLEANUP_FREE char *path = text_format(POSTINST, package->name);
		CLEANUP_FREE char *script = NULL;

		if (package->side != PACKAGE_BASE || !package->after ||
		    (package->before && text_equal(package->before, package->after)))
			continue;
		if (path && view_read(&planning->views.new, path, SCRIPT_BYTES_MAX, &script) == 0)
			explain_script(planning, package, script);
	}
}

/* ---- all of it ---- */

int plan_tasks(struct planning *planning)
{
	const char *status = planning->packages.status;

	if (planning->rebase->debs.count && is_there(planning, "/usr/bin/apt-get"))
		add_command(planning, CHECK);
	explain_scripts(planning);
	activate_all(planning, &planning->views.own);
	activate_all(planning, &planning->views.new);
	for (size_t i = 0; i < planning->alternatives.count; i++) {
		CLEANUP_FREE char *words =
			text_format("/usr/bin/update-alternatives --auto %s", planning->alternatives.items[i]);

		/* Nobody's alternative is named so, but a file of the container's can be. */
		if (words && !strpbrk(planning->alternatives.items[i], " \t\r\n"))
			add_command(planning, words);
	}
	if (status && (strstr(status, " triggers-pending\n") || strstr(status, " triggers-awaited\n")))
		planning->dpkg_pending = true;
	if (planning->dpkg_pending)
		add_command(planning, "/usr/bin/dpkg --force-confdef --force-confold --configure --pending");
	return 0;
}
