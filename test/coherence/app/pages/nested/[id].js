import { page } from 'coherent-render-server';
import { group } from '../../fragments/group.js';
import { id } from '../../say.js';

export default page({
  params: { id },
  load: ({ params }) => params.id,
  view: (key) => group({ id: key }),
});
