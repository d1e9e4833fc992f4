import { compliance } from 'konserve/testing'
import fs from 'node:fs'
const dir = fs.mkdtempSync('/dev/shm/h5-')
process.on('exit', () => { fs.rmSync(dir, {recursive:true}); console.log('last', last) })
let last
const keep = setInterval(()=>{}, 1000)
const opts = JSON.parse(process.argv[2])
const cases = await compliance({ open: (place) => ({ backend:'file', path: dir+'/'+place, layout:'konserve', syncBlob:false, ...opts }) })
let n=0
for (const {name, skipped, run} of cases) { if (skipped) continue; last=name; const t=Date.now()
 const r = await Promise.race([run().then(()=>'ok', e=>`FAIL ${name}: ${String(e?.message).slice(0,300)}`), new Promise(r=>setTimeout(r, 20000, 'HANG '+name))])
 if (r!=='ok') console.log(r); else n++ 
 if (Date.now()-t > 4000) console.log('slow', name, Date.now()-t) }
console.log(n, 'passed'); clearInterval(keep); process.exit()
