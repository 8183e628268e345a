//! Measures the community month. Temporary.
#![allow(clippy::print_stdout, reason = "prints a table")]
use std::time::{Duration, Instant};
use dengmi_sim::month::{self, MonthConfig, Shard, Agreement};
use dengmi_engine::Engine;
fn rss(key:&str)->u64{ std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l|l.starts_with(key)).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap() }
fn main(){
    let members: u32 = std::env::args().nth(1).unwrap().parse().unwrap();
    let threads: u32 = std::env::args().nth(2).map_or(1,|t|t.parse().unwrap());
    let config = MonthConfig{seed:1,members,days:30};
    let pack = month::pack().unwrap();
    let base = rss("VmRSS");
    let t0=Instant::now();
    let shards: Vec<_> = std::thread::scope(|s|{
        let hs: Vec<_> = (0..threads).map(|t|{ let pack=pack.clone(); s.spawn(move||{
            let mut out=Vec::new(); let mut apply=Duration::ZERO; let mut setup=Duration::ZERO; let mut gen_=Duration::ZERO; let mut by=[Duration::ZERO;6];
            let mut i=t; while i<config.shards(){
                let mut shard=Shard::new(&config,i); let mut engine=Engine::new(shard.engine_config(),pack.clone());
                loop { let g=Instant::now(); let set=shard.setting_up(); let k=shard.kind(); let Some(b)=shard.next_batch() else{break}; let a=Instant::now(); let r=engine.apply(&b).unwrap(); let e=a.elapsed(); if set {setup+=e+ (a-g)} else {apply+=e; by[k]+=e; gen_+=a-g;} let o=Instant::now(); shard.observe(&r); drop(r); drop(b); if !set {gen_+=o.elapsed();} }
                out.push((shard,engine)); i+=threads; }
            (out,apply,gen_,setup,by) })}).collect();
        hs.into_iter().map(|h|h.join().unwrap()).collect()
    });
    let wall=t0.elapsed();
    let peak=rss("VmHWM"); let now=rss("VmRSS");
    let md = f64::from(members)*30.0;
    let maxa = shards.iter().map(|s|s.1).max().unwrap(); let maxg=shards.iter().map(|s|s.2).max().unwrap(); let setup=shards.iter().map(|s|s.3).max().unwrap();
    println!("apply {:.3}s = {:.2} M md/s; with gen {:.2} M; setup {:.3}s wall {:.3}", maxa.as_secs_f64(), md/maxa.as_secs_f64()/1e6, md/(maxa+maxg).as_secs_f64()/1e6, setup.as_secs_f64(), wall.as_secs_f64());
    println!("by step: {:?}", shards[0].4);
    println!("RSS base {base} now {now} peak {peak} kB: {:.0} B/member peak {:.0} now", (peak-base) as f64*1024.0/f64::from(members),(now-base) as f64*1024.0/f64::from(members));
    let mut ag=Agreement::default(); let mut bytes=0; let mut save=Duration::ZERO; let mut rest=Duration::ZERO; let mut ent=0; let mut cmds=0;
    let t=Instant::now(); let plain_all=month::reference::plain(1,0,members,30); println!("plain {:.1} M md/s", md/t.elapsed().as_secs_f64()/1e6); drop(plain_all);
    for (list,..) in shards { for (shard, mut engine) in list { let (f,m)=shard.members(); let p=month::reference::plain(1,f,m,30); ag.add(shard.compare(&engine,&p)); ent+=shard.tally().entries; cmds+=shard.tally().commands;
        let t=Instant::now(); let b=engine.save(); save+=t.elapsed(); bytes+=b.len(); let packs=std::collections::BTreeMap::from([(pack.digest,pack.clone())]); let t=Instant::now(); let e2=Engine::restore(shard.engine_config(),&packs,&b).unwrap(); rest+=t.elapsed(); drop(e2); } }
    println!("{ag:?} {:?} entries {ent} commands {cmds}", ag.means(&config));
    println!("save {:.1} B/member {:.3}s restore {:.3}s", bytes as f64/f64::from(members), save.as_secs_f64(), rest.as_secs_f64());
}
