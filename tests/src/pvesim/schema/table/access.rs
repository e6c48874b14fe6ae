//! Endpoints of users, tokens, privileges and pools.

use super::{Op, daemon, ep};
use crate::pvesim::schema::Kind::{Bool, Int, Str};
use crate::pvesim::schema::{Endpoint, Param, Perm, opt, req};

const POOL_TYPE: Param = opt("type", Str).choices(&["qemu", "lxc", "storage"]);
const TOKEN: Param = req("tokenid", Str).pattern();
const USER: Param = req("userid", Str).named("pve-userid").max_len(64);
const USER_ADMIN: &[&str] = &["User.Modify"];

pub(super) const ENDPOINTS: &[Endpoint] = &[
    ep(
        "GET",
        "/access/permissions",
        Op::Permissions,
        Perm::User,
        &[opt("path", Str), opt("userid", Str).pattern()],
    ),
    Endpoint { tokens: true, ..ep("GET", "/access/ticket", Op::TicketIndex, Perm::World, &[]) },
    Endpoint {
        tokens: false,
        ..daemon(ep(
            "POST",
            "/access/ticket",
            Op::TicketCreate,
            Perm::World,
            &[
                opt("new-format", Bool),
                opt("otp", Str),
                req("password", Str),
                opt("path", Str).max_len(64).requires("privs"),
                opt("privs", Str).named("pve-priv-list").max_len(64).requires("path"),
                opt("realm", Str).named("pve-realm").max_len(32),
                opt("tfa-challenge", Str),
                req("username", Str).max_len(64),
            ],
        ))
    },
    daemon(ep("GET", "/access/users", Op::Users, Perm::User, &[opt("enabled", Bool), opt("full", Bool)])),
    ep("GET", "/access/users/{userid}/token", Op::Tokens, Perm::Any("/access/users", USER_ADMIN), &[USER]),
    ep(
        "GET",
        "/access/users/{userid}/token/{tokenid}",
        Op::TokenRead,
        Perm::Any("/access/users", USER_ADMIN),
        &[TOKEN, USER],
    ),
    daemon(ep(
        "POST",
        "/access/users/{userid}/token/{tokenid}",
        Op::TokenCreate,
        Perm::Any("/access/users", USER_ADMIN),
        &[opt("comment", Str), opt("expire", Int).min(0), opt("privsep", Bool), TOKEN, USER],
    )),
    ep("GET", "/access/roles", Op::Roles, Perm::User, &[]),
    ep("GET", "/access/acl", Op::AclGet, Perm::User, &[]),
    daemon(ep(
        "PUT",
        "/access/acl",
        Op::AclPut,
        Perm::Modify,
        &[
            opt("delete", Bool),
            opt("groups", Str).named("pve-groupid-list"),
            req("path", Str),
            opt("propagate", Bool),
            req("roles", Str).named("pve-roleid-list"),
            opt("tokens", Str).named("pve-tokenid-list"),
            opt("users", Str).named("pve-userid-list"),
        ],
    )),
    ep("GET", "/access/domains", Op::Domains, Perm::World, &[]),
    ep(
        "GET",
        "/pools",
        Op::Pools,
        Perm::User,
        &[opt("poolid", Str).named("pve-poolid"), Param { requires: Some("poolid"), ..POOL_TYPE }],
    ),
    ep(
        "GET",
        "/pools/{poolid}",
        Op::Pool,
        Perm::All("/pool/{poolid}", &["Pool.Audit"]),
        &[req("poolid", Str).named("pve-poolid"), POOL_TYPE],
    ),
];
